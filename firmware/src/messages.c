#include "tinyhar/messages.h"

#define THAR_PUT_FIELD(type, name) thar_put_##type(w, value->name);
#define THAR_GET_FIELD(type, name) value.name = thar_get_##type(r);

#define THAR_DEFINE_PART(c_name, LIST)                                 \
  void thar_put_##c_name(thar_writer *w, const thar_##c_name *value) { \
    LIST(THAR_PUT_FIELD)                                               \
  }                                                                    \
  thar_##c_name thar_get_##c_name(thar_reader *r) {                    \
    thar_##c_name value;                                               \
    LIST(THAR_GET_FIELD)                                               \
    return value;                                                      \
  }

THAR_FIXED_PARTS(THAR_DEFINE_PART)
