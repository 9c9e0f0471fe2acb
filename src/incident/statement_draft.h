/* What the files of the statement share. Private to them. */
#ifndef COFFERDAM_INCIDENT_STATEMENT_DRAFT_H
#define COFFERDAM_INCIDENT_STATEMENT_DRAFT_H

#include "incident/statement.h"

enum { DRAFT_CLAIMS = 96, DRAFT_BLOCKS = 128 };

/* A statement being written. The first failure is kept; everything after it does nothing. */
struct drafting {
    const struct statement_case *of;
    const struct brief *brief;
    struct arena *arena;
    struct error *error;
    enum status status;
    int brand; /* index in the scope's brands, or BRIEF_ALL */
    struct brief_count count;
    const struct brief_category *categories;
    size_t category_count;
    const char *heading; /* of the section that the next claim is in; NULL: already written */
    struct statement_claim *claims;
    size_t claim_count;
    struct block *blocks;
    size_t block_count;
};

/* Zeroed but for these; counts what claims rest on. */
void draft_begin(struct drafting *drafting, const struct statement_case *of, struct arena *arena,
                 struct error *error);
enum status draft_end(const struct drafting *drafting, struct statement *statement);

/* A text of the statement's file; "" and a failure where there is none. */
const char *draft_text(struct drafting *drafting, const char *section, const char *key);
/* The text with {name} for each pair of name and value; ends with NULL. */
const char *draft_fill(struct drafting *drafting, const char *section, const char *key, ...)
    __attribute__((sentinel));
const char *draft_date(struct drafting *drafting, int64_t time_ns);
/* For evidence: "2026-11-22T09:15:41Z". */
const char *draft_instant(struct drafting *drafting, int64_t time_ns);
/* "a, b and c" as the language has it. */
const char *draft_list(struct drafting *drafting, const char *const *items, size_t count);
/* The words for many: "names". */
const char *draft_word(struct drafting *drafting, const char *section, const char *name);

void draft_heading(struct drafting *drafting, const char *key);
/* A claim and its paragraph. */
void draft_say(struct drafting *drafting, const char *name, enum statement_verdict verdict,
               const char *said, const char *evidence);
void draft_item(struct drafting *drafting, const char *text); /* below the newest claim */
void draft_refuse(struct drafting *drafting, const char *name, const char *why, const char *needed);
/* A claim that was judged and has no paragraph. */
void draft_judge(struct drafting *drafting, const char *name, enum statement_verdict verdict,
                 const char *said, const char *evidence, const char *needed);

/* ---- claims, statement_claims.c; each in its section ---- */
void claim_happened(struct drafting *drafting);
void claim_information(struct drafting *drafting);
void claim_doing(struct drafting *drafting);
void claim_you(struct drafting *drafting);

/* Is what the scope counts still all that the partner has had? If not, why not. */
const char *draft_stale(struct drafting *drafting);
bool draft_is_never(const struct drafting *drafting, const char *category);
/* Containment: NULL if it is in force, with evidence; otherwise why not. */
const char *draft_uncontained(struct drafting *drafting, const char **evidence);
/* What became of the messages to people, in numbers. */
const char *draft_messages(struct drafting *drafting);
/* Who says that our own systems are not affected: REFUSED, PARTNER or COMPANY. */
enum statement_verdict draft_own_systems(struct drafting *drafting, const char **evidence);

#endif
