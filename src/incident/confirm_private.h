/* What the files of a confirmation share. Private to confirm*.c and their tests. */
#ifndef COFFERDAM_INCIDENT_CONFIRM_PRIVATE_H
#define COFFERDAM_INCIDENT_CONFIRM_PRIVATE_H

#include "base/csv.h"
#include "contact/contact.h"
#include "crypto/token.h"
#include "incident/confirm.h"
#include "incident/scope.h"

/* ---- confirm_columns.c: what a file's columns are ---- */

enum confirm_column {
    CONFIRM_KEY, /* or a token in its place */
    CONFIRM_KIND,
    CONFIRM_EMAIL,
    CONFIRM_PHONE,
    CONFIRM_NAME,
    CONFIRM_POSTCODE,
};
enum { CONFIRM_COLUMNS = CONFIRM_POSTCODE + 1 };
enum { CONFIRM_ANY_KIND = UINT16_MAX };

struct confirm_header {
    size_t at[CONFIRM_COLUMNS]; /* SIZE_MAX: there is none */
    uint16_t kind;              /* that the key's column belongs to, or CONFIRM_ANY_KIND */
    bool is_data;               /* the row is no header: one column without a name */
};
/* STATUS_INVALID with the names that are known where several columns have none of them. */
MUST_USE enum status confirm_read_header(const struct policy *policy, const struct csv_row *row,
                                         struct confirm_header *header, struct error *error);

/* One line of the file. Texts are NULL where there is nothing in them. */
struct confirm_line {
    size_t number;
    const char *key, *token, *email, *phone, *name_postcode; /* "name\npostcode" */
    uint16_t kind;                                           /* or CONFIRM_ANY_KIND */
    /* Who fits. */
    uint16_t found_kind;
    const char *found_key;
    uint32_t found_at; /* index in the scope's people, or CONFIRM_OUTSIDE */
    bool found, several;
    bool settled; /* nothing more is looked for */
};
enum { CONFIRM_OUTSIDE = UINT32_MAX };
/* Copies what is in a row. */
MUST_USE enum status confirm_read_line(const struct policy *policy,
                                       const struct confirm_header *header,
                                       const struct csv_row *row, struct arena *arena,
                                       struct confirm_line *line, struct error *error);

/* ---- confirm_tokens.c: the tokens of everybody in scope, as their partner knows them ---- */

struct confirm_tokens;
MUST_USE enum status confirm_tokens_open(struct casework *casework, const struct scope *scope,
                                         struct confirm_tokens **tokens, struct error *error);
void confirm_tokens_close(struct confirm_tokens *tokens); /* NULL is fine */
/* The index in the scope's people; CONFIRM_OUTSIDE where nobody has it. */
uint32_t confirm_tokens_find(const struct confirm_tokens *tokens, const char *token);

/* ---- confirm_match.c: who fits a line ---- */

enum { CONFIRM_BATCH = 5000 };
struct confirm_matcher {
    struct casework *casework;
    const struct scope *scope;
    struct confirm_tokens *tokens; /* made when the first token is met */
    struct contact_reader *reader; /* NULL: without the database */
    struct confirm_line *lines;    /* of the batch */
    size_t count;
    struct arena arena; /* the batch's texts */
};
/* Fills what is found of each line of the batch. Records what is read of people in scope. */
MUST_USE enum status confirm_match(struct confirm_matcher *matcher, struct error *error);

#endif
