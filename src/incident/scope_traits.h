/* Traits: what a scope tells of people that the ledger does not hold: brand, language, country,
 * child, gone away, deceased, safe contact; and the policy's names of kinds and categories. Read
 * once for a phase, recorded in the ledger before it is used, and kept as "traits.<phase>" in the
 * incident's evidence folder: subject ids, flags and indices, no name and no address. */
#ifndef COFFERDAM_INCIDENT_SCOPE_TRAITS_H
#define COFFERDAM_INCIDENT_SCOPE_TRAITS_H

#include "incident/scope_private.h"

/* Fills the traits of made->people from the phase's file, which is made where there is none. A
 * scope is there without database, gateway or contact role too: made->without then says why. */
MUST_USE enum status scope_traits_settle(struct casework *casework, struct scope_private *made,
                                         struct error *error);

/* ---- scope_traits_file.c ---- */
MUST_USE enum status scope_traits_load(const char *path, struct scope_private *made,
                                       struct error *error);
MUST_USE enum status scope_traits_store(const char *path, const struct scope_private *made,
                                        struct error *error);
/* ---- scope_traits_read.c ---- */
/* From the database; on failure people and lists are as before. */
MUST_USE enum status scope_traits_read(struct casework *casework, struct scope_private *made,
                                       struct error *error);

#endif
