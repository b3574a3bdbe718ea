# What a bundle's header asks of the firmware (layout: include/tinyhar/bundle.h).

# One little-endian number out of a file, as decimal.
function(thar_read_number file offset bytes result)
  file(READ ${file} hex OFFSET ${offset} LIMIT ${bytes} HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR wanted "2 * ${bytes}")
  if(NOT digits EQUAL wanted)
    message(FATAL_ERROR "${file} is too short to be a bundle")
  endif()
  set(number "")
  while(NOT hex STREQUAL "")
    string(SUBSTRING ${hex} 0 2 byte)
    string(SUBSTRING ${hex} 2 -1 hex)
    set(number "${byte}${number}")
  endwhile()
  math(EXPR decimal "0x${number}")
  set(${result} ${decimal} PARENT_SCOPE)
endfunction()

function(thar_larger a b result)
  if(${a} GREATER ${b})
    set(${result} ${a} PARENT_SCOPE)
  else()
    set(${result} ${b} PARENT_SCOPE)
  endif()
endfunction()

# Compile definitions (config.h) for a band that holds this bundle, and those with up to
# THAR_SPARE_CLASSES more classes: what its wearer teaches it is deployed to the same firmware.
function(thar_bundle_limits file result)
  thar_read_number(${file} 0 4 magic)
  if(NOT magic EQUAL 1111574612) # "THAB"
    message(FATAL_ERROR "${file} is not a bundle: it does not begin with THAB")
  endif()
  thar_read_number(${file} 48 2 window)
  thar_read_number(${file} 52 1 channels)
  thar_read_number(${file} 53 1 classes)
  thar_read_number(${file} 60 4 arena)
  thar_read_number(${file} 69 1 smooth_length)
  math(EXPR classes "${classes} + ${THAR_SPARE_CLASSES}")
  if(classes GREATER 254)
    set(classes 254)
  endif()
  if(THAR_SPARE_CLASSES GREATER 0)
    # A larger head's output, and the one before it where softmax or a projection follows.
    math(EXPR arena "${arena} + 2 * ((${THAR_SPARE_CLASSES} + 15) / 16 * 16)")
  endif()
  # Room to teach all of these classes: a header, and an entry for each (taught.h).
  thar_read_number(${file} 100 2 embedding)
  set(taught 0)
  if(embedding GREATER 0)
    math(EXPR taught "64 + ${classes} * (48 + (${embedding} + 15) / 16 * 16)")
  endif()
  math(EXPR values "${window} * ${channels}")
  # A window in one frame where the host's 4096 allow it, and never less than 256.
  math(EXPR body "2 * ${values} + 4")
  thar_larger(${body} 256 body)
  if(body GREATER 4096)
    set(body 4096)
  endif()
  math(EXPR outbox "512 + 4 * ${classes}")
  thar_larger(${smooth_length} 16 smooth_length)
  set(${result}
      THAR_MAX_BODY=${body} THAR_OUTBOX_BYTES=${outbox} THAR_MAX_WINDOW_VALUES=${values}
      THAR_MAX_CLASSES=${classes} THAR_MAX_SMOOTH_LENGTH=${smooth_length}
      THAR_ARENA_BYTES=${arena} THAR_MAX_EMBEDDING=${embedding} THAR_TAUGHT_BYTES=${taught}
      PARENT_SCOPE)
endfunction()
