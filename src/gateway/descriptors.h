/* Open files: are as many allowed as the configured bounds can take? */
#ifndef COFFERDAM_GATEWAY_DESCRIPTORS_H
#define COFFERDAM_GATEWAY_DESCRIPTORS_H

#include "policy/config.h"

/* Raises the process's limit to what is needed; STATUS_INVALID where the hard limit is lower. */
MUST_USE enum status descriptors_raise(const struct config *config, struct error *error);

#endif
