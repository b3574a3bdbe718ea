/*
 * Which kernels an image holds: a bit of THAR_KERNELS for each kind of plan.h. In the firmware all,
 * in an exported folder its model's, unless the build says otherwise; a model with an operator that
 * is left out is refused.
 */
#ifndef THAR_ENGINE_KERNELS_H
#define THAR_ENGINE_KERNELS_H

#ifndef THAR_KERNELS
#define THAR_KERNELS 0xFFFFFFFFu
#endif

/* A constant expression, so that what is left out is not even referred to. */
#define THAR_HAS(kind) (((THAR_KERNELS >> (kind)) & 1u) != 0u)

#endif
