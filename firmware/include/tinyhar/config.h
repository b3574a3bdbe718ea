/* How much the band can hold; every buffer is static, so these are its RAM.
 *
 * A build for one bundle gets exactly what that bundle needs (firmware/CMakeLists.txt reads its
 * header); the defaults are for the host port, which should take any bundle. */
#ifndef TINYHAR_CONFIG_H
#define TINYHAR_CONFIG_H

#ifdef __has_include
#if __has_include("tinyhar/limits.h")
#include "tinyhar/limits.h" /* of a project that `tinyhar export --board` wrote */
#endif
#endif

#ifndef THAR_MAX_BODY
#define THAR_MAX_BODY 4096 /* bytes of a request's body; advertised as max_body */
#endif

#ifndef THAR_OUTBOX_BYTES
#define THAR_OUTBOX_BYTES 2048 /* the last response and its events, kept for a repeat */
#endif

#ifndef THAR_MAX_WINDOW_VALUES
#define THAR_MAX_WINDOW_VALUES 262144 /* window x channels; two buffers of one byte each */
#endif

#ifndef THAR_MAX_CLASSES
#define THAR_MAX_CLASSES 254 /* 255 stands for none */
#endif

#ifndef THAR_MAX_SMOOTH_LENGTH
#define THAR_MAX_SMOOTH_LENGTH 128 /* windows; each costs THAR_MAX_CLASSES + 1 bytes */
#endif

#ifndef THAR_MAX_EMBEDDING
#define THAR_MAX_EMBEDDING 256 /* values of an embedding that classes are taught in; 0: no teaching */
#endif

#ifndef THAR_TAUGHT_BYTES
#define THAR_TAUGHT_BYTES 16384 /* of each half of the flash, for taught classes; at most a sixteenth */
#endif

#ifndef THAR_ARENA_BYTES
#define THAR_ARENA_BYTES 1048576
#endif

#endif
