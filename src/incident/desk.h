/* Desk: what goes on after a breach without anybody at a keyboard. It answers who asks on the
 * public page whether a breach affects them, always to the address on file and never to the asker,
 * reads delivery notices into the outboxes, and mail to invented people for alarms. A foreground
 * process of its own; it can fail, wait and begin again: what it has not done is still in the
 * queue. */
#ifndef COFFERDAM_INCIDENT_DESK_H
#define COFFERDAM_INCIDENT_DESK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct desk_order {
    const char *config_path;
    const atomic_bool *stop; /* set: ends after the current round */
    bool once;               /* one round, whose failure is the call's */
};
/* STATUS_INVALID at once where the configuration gives it nothing to do. Later failures of
 * database, gateway or mail server are logged and tried again. */
MUST_USE enum status desk_run(const struct desk_order *order, struct error *error);

#endif
