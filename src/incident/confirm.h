/* Confirmation: which of the people in scope are in a list of what was stolen: a sample that the
 * thief published, or the processor's own count of its losses. The file holds stolen data: nothing
 * of it is kept but its hash and who was recognised. */
#ifndef COFFERDAM_INCIDENT_CONFIRM_H
#define COFFERDAM_INCIDENT_CONFIRM_H

#include "incident/casework.h"

enum { CONFIRM_SHOWN = 20 };

/* Lines of the file, by number: the first of them. */
struct confirm_lines {
    uint64_t count;
    size_t shown[CONFIRM_SHOWN]; /* the first CONFIRM_SHOWN */
};
struct confirm_report {
    int64_t phase;       /* the new one */
    int64_t scope_phase; /* whose people the file was compared with */
    char sha256[65];     /* of the file */
    uint64_t lines;      /* of data */
    uint64_t people;     /* in scope and recognised, each once */
    struct confirm_lines unmatched;
    struct confirm_lines ambiguous; /* more than one person fits: none is confirmed */
    /* Somebody of ours, but nobody whom the ledger says the partner had: another source, or data
     * that went past the gateway. */
    struct confirm_lines outside;
    char without_database[400]; /* why only keys and tokens could be compared; "": all were */
};

/* Reads the file (CSV with a header, or a column of keys, tokens or e-mail addresses), compares it
 * with the newest phase's scope, and makes a new phase that holds the confirmation. What is looked
 * up in the database is recorded in the ledger. Header names: the key's column (customer_id,
 * customer.customer_id, key, token), kind, email, phone, name, postcode, or the policy's own names
 * of those columns; the others are not looked at. */
MUST_USE enum status confirm_file(struct casework *casework, int64_t incident, const char *path,
                                  struct confirm_report *report, struct error *error);

#endif
