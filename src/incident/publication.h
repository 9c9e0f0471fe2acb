/* Publication: writes what the portal serves. Pages in each brand's look and each language, marks
 * of the references that we vouch for, keys; nothing about any person. What earlier incidents
 * published stays: each leaves its parts in the generation. portal/site.h tells what the portal
 * reads; beside it, parts/ keeps "INCIDENT-index.BRAND.LANGUAGE" and
 * "INCIDENT-issue-ISSUE.BRAND.LANGUAGE", the bodies from which pages are made again. */
#ifndef COFFERDAM_INCIDENT_PUBLICATION_H
#define COFFERDAM_INCIDENT_PUBLICATION_H

#include "crypto/mark_file.h"
#include "incident/template.h"
#include "policy/policy.h"

/* Each notice numbers what was sent from a multiple of this. */
enum { PUBLICATION_ISSUES_A_NOTICE = 1000 };

/* One text that people were sent, as notice_variant has it. */
struct publication_issue {
    const char *brand, *language, *subject, *opening, *sender, *sender_name;
};
struct publication {
    const char *data_folder; /* share/: templates and words */
    const char *folder;      /* of the portal; made where missing */
    const struct policy_controller *controller;
    const uint8_t *secret; /* 32 bytes, of the installation: all keys follow from it */
    int64_t now_ns;
    const char *const *languages; /* the first one is for whoever asks for no other */
    size_t language_count;

    uint32_t incident;
    int64_t noticed_ns, issued_ns; /* issued_ns: sending starts */
    /* What happened: for each brand of the controller (one, where it has none) a document a
     * language; NULL: the template's own words. */
    const struct document *const *happened;
    const struct publication_issue *issues; /* of one notice; other notices' stay */
    size_t issue_count;
    uint32_t first_issue; /* number of issues[0] */
    /* A record for each person; incident and issue set. */
    struct mark_record *marks;
    size_t mark_count;
};
/* A new generation, whole and on disk before the portal can see it. */
MUST_USE enum status publication_write(const struct publication *publication, struct error *error);
/* The key of published marks: reference_mark(key, …). */
void publication_mark_key(const uint8_t secret[static 32], uint8_t key[static 32]);

#endif
