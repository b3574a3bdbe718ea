/* Names that came over a wire or out of a file, before anybody prints them. */
#ifndef TINYHAR_SRC_TEXT_H
#define TINYHAR_SRC_TEXT_H

#include "tinyhar/bytes.h"

/* Well-formed utf-8 (Unicode 15, table 3-7) of at least one character, none of them a control
 * character below U+0020 or U+007F. */
bool thar_text_is_name(const uint8_t *text, size_t size);

#endif
