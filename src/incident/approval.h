/* Approval of a notice: what a dry run showed is kept under its hash, so that a refusal can say
 * what has changed since; the approved notice is the case's. One thread. */
#ifndef COFFERDAM_INCIDENT_APPROVAL_H
#define COFFERDAM_INCIDENT_APPROVAL_H

#include "incident/notice.h"

/* Keeps the dry run: scope, facts, variants, and each variant's message to an invented person. */
MUST_USE enum status approval_keep(struct casework *casework, const struct scope *scope,
                                   const struct notice *notice, struct error *error);
/* The notice is what the hash stands for and can be sent: records the decision (act and log) and
 * the notice. STATUS_DENIED 55000 where the hash is another one, with what changed; or where the
 * phase's notice, or an unfinished one, is there already. why may be NULL. */
MUST_USE enum status approval_give(struct casework *casework, const struct scope *scope,
                                   const struct notice *notice, const char *hash, const char *why,
                                   struct error *error);
/* STATUS_DENIED 55000 where the notice, opened again, is not what was approved. */
MUST_USE enum status approval_check(struct casework *casework, const struct scope *scope,
                                    const struct notice *notice,
                                    const struct incident_notice *approved, struct error *error);

#endif
