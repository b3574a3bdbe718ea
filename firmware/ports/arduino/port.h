// What the sketch and the port share.
#pragma once

#include <tinyhar.h>

// The line, the flash and the facts about this boot: before anything else.
void PortBegin();
