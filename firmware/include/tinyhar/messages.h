/* The wire, as one table: what a host and a band say to each other.
 *
 * A frame on the line is COBS(payload) followed by one 0x00; a 0x00 in front is allowed (it
 * flushes what noise left behind). The payload is
 *
 *     type u8 | seq u8 | body | crc16 u16
 *
 * with CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) over type, seq and body. Every
 * number is little-endian; counts are int16, logits int8; nothing is padded.
 *
 * A response carries its request's type | 0x80 and the same seq. A frame with a wrong CRC is
 * dropped and counted; the host asks again with the SAME seq, and a band that sees the last
 * (type, seq) again resends its last response without doing the work twice. Of the events, a
 * PREDICTION carries the seq of the STREAM that completed its window, so that one that comes too
 * late, from an earlier stream perhaps, is known; or it carries that of LIVE, as SAMPLES do. BOOT
 * carries a seq of its own.
 *
 * A host goes up by one (mod 256) from request to request and begins with IDENTIFY, which is
 * always done afresh and takes its seq as the new start. Any other request whose seq is not
 * 1..127 ahead of the last one is a late duplicate: it is not done, its answer is OUT_OF_ORDER.
 * A repeated STREAM resends its predictions too.
 *
 * The lists below are macros so that C derives its structs, sizes and codecs from them, and the
 * desk's tests read the same lines: F(type, name), fields in wire order, then at most one tail
 * whose length follows from the frame's (or from the u8 in front of it, where the list ends in
 * one). */
#ifndef TINYHAR_MESSAGES_H
#define TINYHAR_MESSAGES_H

#include "tinyhar/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define THAR_PROTOCOL_VERSION 1
#define THAR_RESPONSE_BIT 0x80
#define THAR_HEADER_BYTES 2
#define THAR_CRC_BYTES 2
#define THAR_NONE 255
#define THAR_DEPLOY_BLOCK 256

/* X(NAME, code). 0x01..0x3F are requests (0x20..0x2F for the model store,
 * 0x30..0x3F for teaching), 0x40..0x4F events. */
#define THAR_MESSAGE_TYPES(X) \
  X(IDENTIFY, 0x01)           \
  X(DESCRIBE, 0x02)           \
  X(INFER, 0x03)              \
  X(TRACE, 0x04)              \
  X(STREAM, 0x05)             \
  X(SELFTEST, 0x06)           \
  X(STATS, 0x07)              \
  X(SETTINGS, 0x08)           \
  X(RESET, 0x09)              \
  X(LIVE, 0x0A)               \
  X(SLOT, 0x20)               \
  X(BLOCKS, 0x21)             \
  X(BEGIN, 0x22)              \
  X(CHUNK, 0x23)              \
  X(COPY, 0x24)               \
  X(COMMIT, 0x25)             \
  X(ABORT, 0x26)              \
  X(ROLLBACK, 0x27)           \
  X(TEACH, 0x30)              \
  X(TAUGHT, 0x31)             \
  X(BOOT, 0x40)               \
  X(PREDICTION, 0x41)         \
  X(SAMPLES, 0x42)            \
  X(ERROR, 0xFF)

#define THAR_ERROR_CODES(X) \
  X(UNKNOWN_REQUEST, 1)     \
  X(BAD_LENGTH, 2)          \
  X(BAD_VALUE, 3)           \
  X(NO_MODEL, 4)            \
  X(PROTOCOL, 5)            \
  X(OUT_OF_ORDER, 6)        \
  X(ENGINE, 7)              \
  X(UNSUPPORTED, 8)         \
  X(TOO_BIG, 9)             \
  X(OTHER_ENGINE, 10)       \
  X(NO_ROOM, 11)            \
  X(OTHER_SENSORS, 12)      \
  X(DAMAGED, 13)            \
  X(TRIAL_FAILED, 14)       \
  X(FLASH, 15)              \
  X(NOTHING_THERE, 16)

#define THAR_RESET_REASONS(X) \
  X(POWER_ON, 0)              \
  X(REQUESTED, 1)             \
  X(WATCHDOG, 2)              \
  X(FAULT, 3)                 \
  X(UNKNOWN, 4)

#define THAR_ENGINES(X) \
  X(COMPILED, 0)        \
  X(TFLM, 1)

/* What DESCRIBE asks for. */
#define THAR_DESCRIBE_WHATS(X) \
  X(CLASS_NAME, 0)             \
  X(CHANNEL_NAME, 1)

/* What TEACH asks for. */
#define THAR_TEACH_ACTIONS(X) \
  X(BEGIN, 0)                 \
  X(KEEP, 1)                  \
  X(CANCEL, 2)                \
  X(FORGET, 3)

/* What a slot holds. RECEIVING: a deployment that is under way, or was cut short. READY: a bundle
 * that was activated. REJECTED: one whose boots failed. BUILT_IN: no bundle, but the word that the
 * image's own is the one to run (or, of slot 2, that bundle itself). */
#define THAR_SLOT_STATES(X) \
  X(EMPTY, 0)               \
  X(RECEIVING, 1)           \
  X(READY, 2)               \
  X(REJECTED, 3)            \
  X(BUILT_IN, 4)

/* 0x01 IDENTIFY. A band that speaks another protocol answers PROTOCOL. */
#define THAR_IDENTIFY_REQUEST(F) F(u8, protocol)

/* Response to IDENTIFY, and the body of the BOOT event. boot_id changes at every boot; layers 0
 * means no TRACE; rate in millihertz; instructions_per_tick 0 means unknown. Tail: board, utf-8,
 * board_length bytes. */
#define THAR_IDENTIFY_RESPONSE(F) \
  F(u8, protocol)                 \
  F(u8, fw_major)                 \
  F(u8, fw_minor)                 \
  F(u8, fw_patch)                 \
  F(u32, boot_id)                 \
  F(u8, reset_reason)             \
  F(u8, engine)                   \
  F(u16, max_body)                \
  F(u16, window)                  \
  F(u16, stride)                  \
  F(u8, channels)                 \
  F(u8, classes)                  \
  F(u8, layers)                   \
  F(u8, golden)                   \
  F(u32, rate_mhz)                \
  F(u32, tick_hz)                 \
  F(u16, instructions_per_tick)   \
  F(u32, arena_bytes)             \
  F(u32, model_bytes)             \
  F(id32, bundle_id)              \
  F(u8, board_length)

/* 0x02 DESCRIBE. Response: utf-8 text, nothing else. */
#define THAR_DESCRIBE_REQUEST(F) \
  F(u8, what)                    \
  F(u8, index)

/* 0x03 INFER. Tail: counts i16[k][channels], k >= 1: samples first_sample .. first_sample + k of
 * the window, in order: first_sample is 0 (a new window) or where the last frame ended, else
 * OUT_OF_ORDER. The frame that holds the window's last sample starts the inference. */
#define THAR_INFER_REQUEST(F) F(u16, first_sample)

/* done 0: loaded, the body ends here; done 1: THAR_INFER_RESULT follows. */
#define THAR_INFER_RESPONSE(F) F(u8, done)

/* ticks: count map and inference. Tail: logits i8[classes]. */
#define THAR_INFER_RESULT(F) \
  F(u32, ticks)              \
  F(u8, class_index)

/* 0x04 TRACE: the last window again. Empty request: CRC-32 (IEEE, as zlib's) of the int8 input
 * and of every layer's output, n = layers + 1. With this body: of every channel of one of them
 * (the last axis of NHWC), n = channels; layer 0 is the input, 1 the first layer's output. Tail:
 * u32[n]. */
#define THAR_TRACE_REQUEST(F) \
  F(u8, layer)                \
  F(u8, channels)

#define THAR_TRACE_RESPONSE(F) F(u8, n)

/* 0x05 STREAM. first_sample 0 restarts the stream; any other than the expected one is OUT_OF_ORDER.
 * Tail: counts i16[k][channels], k >= 1. */
#define THAR_STREAM_REQUEST(F) F(u32, first_sample)
#define THAR_STREAM_RESPONSE(F) F(u32, next_sample)

/* 0x06 SELFTEST, empty request: the golden windows in the bundle. first_failed THAR_NONE: all
 * equal. Tail: expected i8[classes], got i8[classes] of the first failure, zeros without one. */
#define THAR_SELFTEST_RESPONSE(F) \
  F(u8, run)                      \
  F(u8, failed)                   \
  F(u8, first_failed)

/* 0x07 STATS. clear not 0: zero the counters after answering. Byte figures of 0 mean unknown. */
#define THAR_STATS_REQUEST(F) F(u8, clear)
#define THAR_STATS_RESPONSE(F) \
  F(u32, uptime_ms)            \
  F(u32, windows)              \
  F(u32, frames_ok)            \
  F(u32, frames_bad)           \
  F(u32, ticks_min)            \
  F(u32, ticks_mean)           \
  F(u32, ticks_max)            \
  F(u32, arena_used)           \
  F(u32, stack_used)           \
  F(u32, ram_bytes)            \
  F(u32, flash_bytes)

/* 0x08 SETTINGS. An empty request asks, this body sets; the response holds what is now in force.
 * Setting restarts the stream; TEACH and another model put the bundle's own in force again. */
#define THAR_SETTINGS_BODY(F) \
  F(u16, stride)              \
  F(u8, smooth_length)        \
  F(u8, smooth_hold)

/* 0x09 RESET: empty request, empty response, then a restart with reason REQUESTED. */

/* 0x0A LIVE: what the band's own sensor measures, as SAMPLES events, and what it makes of it, as
 * PREDICTION events, from now on (1) or no longer (0); IDENTIFY ends it, too. 1 starts the stream
 * anew. UNSUPPORTED where there is no sensor, OTHER_SENSORS where it has other channels than the
 * model. These events are not repeated: a gap in the numbers of samples tells what was lost. A
 * host's STREAM takes the sensor's place until LIVE, or until none came for two seconds. */
#define THAR_LIVE_REQUEST(F) F(u8, on)
#define THAR_LIVE_RESPONSE(F) F(u8, on)

/* 0x42 SAMPLES event. Tail: counts i16[k][channels], k >= 1. */
#define THAR_SAMPLES_EVENT(F) F(u32, first_sample)

/* ---- the model store: two slots in flash beside the bundle in the image (slot 2) ----
 *
 * A deployment is BEGIN, then CHUNK and COPY in order of offset until all bytes are there, then
 * COMMIT. The running model goes on all the while. Until COMMIT's last write the old model is what
 * the next boot runs, from then on the new one. An answer that was lost is no harm: a CHUNK or COPY
 * that is there already, or comes too early, changes nothing and is answered with how far the band
 * is; BEGIN of the same bundle goes on where it stopped, across a restart too. */

/* 0x20 SLOT: index 0, 1, or 2 for the image's own. active 1: it runs now. sequence: the slot with
 * the highest boots; 0: not activated. received: bytes of a deployment that are there. capacity:
 * the largest bundle. failures: boots in a row that did not succeed. */
#define THAR_SLOT_REQUEST(F) F(u8, index)
#define THAR_SLOT_RESPONSE(F) \
  F(u8, index)                \
  F(u8, state)                \
  F(u8, active)               \
  F(u8, failures)             \
  F(u32, sequence)            \
  F(u32, bundle_bytes)        \
  F(u32, received)            \
  F(u32, capacity)            \
  F(id32, bundle_id)

/* 0x21 BLOCKS: what the running bundle's bytes are, for COPY. Tail: u32[n], CRC-32 of its blocks of
 * THAR_DEPLOY_BLOCK bytes from `first` on, the last block perhaps shorter; n may be below count. */
#define THAR_BLOCKS_REQUEST(F) \
  F(u16, first)                \
  F(u8, count)
#define THAR_BLOCKS_RESPONSE(F) \
  F(u32, bundle_bytes)          \
  F(u8, n)

/* 0x22 BEGIN: from the bundle's header, so that one that can never run is refused before anything
 * is erased: OTHER_ENGINE, NO_ROOM, OTHER_SENSORS (channels_crc32, of the channels' section, or the
 * rate is not the running bundle's; any_sensors 1 lets it pass), FLASH. Erases the spare slot. */
#define THAR_BEGIN_REQUEST(F) \
  F(u32, bundle_bytes)        \
  F(u32, crc32)               \
  F(id32, bundle_id)          \
  F(u16, window)              \
  F(u8, channels)             \
  F(u8, classes)              \
  F(u8, engine)               \
  F(u8, smooth_length)        \
  F(u32, arena_bytes)         \
  F(u32, rate_mhz)            \
  F(u32, channels_crc32)      \
  F(u8, any_sensors)

/* running 1: the band runs this very bundle, and nothing was begun. */
#define THAR_BEGIN_RESPONSE(F) \
  F(u32, received)             \
  F(u8, running)

/* 0x23 CHUNK. Tail: bytes, a multiple of 16 of them. */
#define THAR_CHUNK_REQUEST(F) F(u32, offset)
#define THAR_CHUNK_RESPONSE(F) F(u32, received)

/* 0x24 COPY: `size` bytes of the running bundle, from `source` on; all multiples of 16. */
#define THAR_COPY_REQUEST(F) \
  F(u32, offset)             \
  F(u32, source)             \
  F(u32, size)

/* 0x25 COMMIT, empty request: checks the whole (DAMAGED), loads it and runs its golden windows
 * (TRIAL_FAILED, naming what went wrong), activates it and runs it from now on. Refused, the old
 * model runs on and what came is forgotten. 0x27 ROLLBACK, empty request: back to the bundle of the
 * other slot after the same checks, or else to the image's own; NOTHING_THERE without either. Both
 * restart the stream. golden: windows that were tried. */
#define THAR_ACTIVATED_RESPONSE(F) \
  F(u8, slot)                      \
  F(u8, golden)                    \
  F(u32, sequence)

/* 0x26 ABORT, empty request and response: forgets what came. */

/* ---- teaching: the band averages what it is shown into a class, and keeps it ----
 *
 * TEACH with BEGIN names a class, one of the band's by its index (it is then shown again) or a new
 * one (THAR_NONE and a name). What STREAM brings from then on is shown, in windows that start every
 * tenth of a window; predictions go on. KEEP takes the class over, for good; CANCEL forgets what was
 * shown. FORGET makes a class again what the bundle says, or removes a new one (THAR_NONE: all of
 * them). BEGIN, KEEP, CANCEL and FORGET restart the stream.
 *
 * While anything is taught, the logits of INFER and PREDICTION come from the nearest class mean
 * (teaching.h), and new classes follow the bundle's. What was taught belongs to the bundle: another
 * one does not have it, and a roll back brings it back, unless the other one was taught twice. */

/* 0x30 TEACH. Tail: a new class's name, utf-8, at most 32 bytes. */
#define THAR_TEACH_REQUEST(F) \
  F(u8, action)               \
  F(u8, class_index)

/* classes and taught: that there are now. windows and samples: that the class was shown. */
#define THAR_TEACH_RESPONSE(F) \
  F(u8, classes)               \
  F(u8, taught)                \
  F(u16, windows)              \
  F(u32, samples)

/* 0x31 TAUGHT: number `entry` of the classes that were taught; class_index is THAR_NONE and the
 * tail empty where there are no more. Tail: the class's mean, i8[embedding]. */
#define THAR_TAUGHT_REQUEST(F) F(u8, entry)
#define THAR_TAUGHT_RESPONSE(F) \
  F(u8, class_index)            \
  F(u16, windows)               \
  F(u32, samples)

/* 0x41 PREDICTION event, sent before the response to the STREAM that completed the window.
 * confidence: 0..255, the share of recent windows that agree with the smoothed class.
 * Tail: logits i8[classes]. */
#define THAR_PREDICTION_EVENT(F) \
  F(u32, window_index)           \
  F(u32, last_sample)            \
  F(u8, class_index)             \
  F(u8, smoothed)                \
  F(u8, confidence)              \
  F(u32, ticks)

/* 0xFF ERROR, in place of a response and with the request's seq. Tail: text, utf-8. */
#define THAR_ERROR_BODY(F) \
  F(u8, code)              \
  F(u8, request)

/* ---- what C derives from the lists ---- */

#define THAR_AS_MESSAGE(name, code) THAR_MSG_##name = (code),
#define THAR_AS_ERROR(name, code) THAR_ERR_##name = (code),
#define THAR_AS_RESET(name, code) THAR_RESET_REASON_##name = (code),
#define THAR_AS_ENGINE(name, code) THAR_ENGINE_KIND_##name = (code),
#define THAR_AS_SLOT_STATE(name, code) THAR_SLOT_##name = (code),
#define THAR_AS_ACTION(name, code) THAR_TEACH_##name = (code),
#define THAR_AS_WHAT(name, code) THAR_DESCRIBE_##name = (code),
enum thar_message_type { THAR_MESSAGE_TYPES(THAR_AS_MESSAGE) THAR_MSG_END = 0x100 };
enum thar_error_code { THAR_ERR_NONE = 0, THAR_ERROR_CODES(THAR_AS_ERROR) };
enum thar_reset_reason { THAR_RESET_REASONS(THAR_AS_RESET) };
enum thar_engine_kind { THAR_ENGINES(THAR_AS_ENGINE) };
enum thar_slot_state { THAR_SLOT_STATES(THAR_AS_SLOT_STATE) };
enum thar_teach_action { THAR_TEACH_ACTIONS(THAR_AS_ACTION) };
enum thar_describe_what { THAR_DESCRIBE_WHATS(THAR_AS_WHAT) };

/* X(c_name, LIST): every fixed part becomes struct thar_c_name, THAR_FIELD_BYTES(LIST) bytes on
 * the wire, thar_put_c_name and thar_get_c_name. */
#define THAR_FIXED_PARTS(X)                     \
  X(identify_request, THAR_IDENTIFY_REQUEST)    \
  X(identify_response, THAR_IDENTIFY_RESPONSE)  \
  X(describe_request, THAR_DESCRIBE_REQUEST)    \
  X(infer_request, THAR_INFER_REQUEST)          \
  X(infer_response, THAR_INFER_RESPONSE)        \
  X(infer_result, THAR_INFER_RESULT)            \
  X(trace_request, THAR_TRACE_REQUEST)          \
  X(trace_response, THAR_TRACE_RESPONSE)        \
  X(stream_request, THAR_STREAM_REQUEST)        \
  X(stream_response, THAR_STREAM_RESPONSE)      \
  X(selftest_response, THAR_SELFTEST_RESPONSE)  \
  X(stats_request, THAR_STATS_REQUEST)          \
  X(stats_response, THAR_STATS_RESPONSE)        \
  X(settings_body, THAR_SETTINGS_BODY)          \
  X(live_request, THAR_LIVE_REQUEST)            \
  X(live_response, THAR_LIVE_RESPONSE)          \
  X(samples_event, THAR_SAMPLES_EVENT)          \
  X(slot_request, THAR_SLOT_REQUEST)            \
  X(slot_response, THAR_SLOT_RESPONSE)          \
  X(blocks_request, THAR_BLOCKS_REQUEST)        \
  X(blocks_response, THAR_BLOCKS_RESPONSE)      \
  X(begin_request, THAR_BEGIN_REQUEST)          \
  X(begin_response, THAR_BEGIN_RESPONSE)        \
  X(chunk_request, THAR_CHUNK_REQUEST)          \
  X(chunk_response, THAR_CHUNK_RESPONSE)        \
  X(copy_request, THAR_COPY_REQUEST)            \
  X(activated_response, THAR_ACTIVATED_RESPONSE) \
  X(teach_request, THAR_TEACH_REQUEST)          \
  X(teach_response, THAR_TEACH_RESPONSE)        \
  X(taught_request, THAR_TAUGHT_REQUEST)        \
  X(taught_response, THAR_TAUGHT_RESPONSE)      \
  X(prediction_event, THAR_PREDICTION_EVENT)    \
  X(error_body, THAR_ERROR_BODY)

#define THAR_DECLARE_PART(c_name, LIST)                               \
  typedef struct {                                                    \
    LIST(THAR_AS_MEMBER)                                              \
  } thar_##c_name;                                                    \
  void thar_put_##c_name(thar_writer *w, const thar_##c_name *value); \
  thar_##c_name thar_get_##c_name(thar_reader *r);
THAR_FIXED_PARTS(THAR_DECLARE_PART)
#undef THAR_DECLARE_PART

#ifdef __cplusplus
}
#endif

#endif
