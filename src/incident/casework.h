/* Casework: what every step of a breach works with. Made by the command line and the worker; each
 * step is a function that takes it. One thread. */
#ifndef COFFERDAM_INCIDENT_CASEWORK_H
#define COFFERDAM_INCIDENT_CASEWORK_H

#include <stdio.h>

#include "admin/admin_client.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "registry/incidents.h"

/* Names in an incident's folder, for incidents_path(). */
#define CASEWORK_OUTBOX "outbox.sqlite" /* registry/outbox.h */

struct casework {
    const struct config *config;
    const struct policy *policy;
    struct incidents *incidents;
    struct admin_client *admin; /* NULL in what only reads: casework_admin() connects */
    const char *by;             /* who acts: a name, for the decision log */
};

/* Loads configuration and policy and opens the incidents. by NULL: the user's login name. */
MUST_USE enum status casework_open(const char *config_path, const char *by,
                                   struct casework **casework, struct error *error);
/* The same without the incidents (NULL): for what must not wait for them. */
MUST_USE enum status casework_open_bare(const char *config_path, const char *by,
                                        struct casework **casework, struct error *error);
void casework_close(struct casework *casework); /* NULL is fine */
/* Connects to the gateway where that has not been done. Borrowed from the casework. */
MUST_USE enum status casework_admin(struct casework *casework, struct admin_client **admin,
                                    struct error *error);
/* A decision: first an act in the ledger ("incident 3: approve notice; why sha256=…"), then the
 * log. partner may be NULL. */
MUST_USE enum status casework_decide(struct casework *casework, int64_t incident,
                                     const char *partner, const char *step, const char *why,
                                     struct error *error);
/* The act's text: what the ledger is compared with. */
enum { CASEWORK_ACT_ROOM = 256 };
void casework_act_text(int64_t incident, const char *step, const char *why,
                       char text[static CASEWORK_ACT_ROOM]);
/* STATUS_DENIED 55000 for a closed incident: its file is not changed before it is opened again. */
MUST_USE enum status casework_check_open(struct casework *casework, int64_t incident,
                                         struct error *error);
/* Opens a closed incident again, by a decision. STATUS_DENIED 55000 where it is open. */
MUST_USE enum status casework_reopen(struct casework *casework, int64_t incident, const char *why,
                                     struct error *error);
/* The path of a data file: "jurisdictions/uk-gdpr.yaml" in the data folder. */
MUST_USE enum status casework_data(const struct casework *casework, const char *name,
                                   struct arena *arena, const char **path, struct error *error);

#endif
