/* What the files of the desk share. Private to desk*.c. */
#ifndef COFFERDAM_INCIDENT_DESK_PRIVATE_H
#define COFFERDAM_INCIDENT_DESK_PRIVATE_H

#include "incident/answered.h"
#include "incident/letter.h"
#include "incident/notice.h"
#include "incident/requests.h"
#include "incident/desk.h"

/* ---- desk_cases.c: the incidents that are being dealt with ---- */

/* A notice that was approved: its people get its words again. */
struct desk_notice {
    struct scope *scope;
    struct notice *notice;
    bool *audience;      /* beside the scope's people */
    bool is_as_approved; /* its words have not been changed since */
};
enum { DESK_NOTICES = 8, DESK_CASES = 64 };
struct desk_case {
    int64_t number;
    uint64_t looked_to;  /* entries of the ledger */
    bool is_served;      /* the partner is let in again */
    bool is_behind;      /* the ledger has what the scope has not */
    struct scope *scope; /* of the newest phase */
    struct desk_notice notices[DESK_NOTICES];
    size_t notice_count; /* newest first */
    const char *partner; /* as people may be told; NULL: not named */
};
struct desk_cases {
    struct casework *casework;
    struct arena arena;
    struct desk_case cases[DESK_CASES];
    size_t count;
    uint8_t state[32]; /* hash of what this was made of */
};
/* Opens every incident that is no drill, closed ones too for as long as the public page vouches for
 * their messages, or keeps what is open where nothing has changed: reading a scope takes reading
 * the ledger. *cases NULL before the first call. */
MUST_USE enum status desk_cases_open(const char *config_path, struct desk_cases **cases,
                                     struct error *error);
void desk_cases_close(struct desk_cases *cases); /* NULL is fine */
/* The numbers of incidents that are open, or were closed since then; drills are left out. */
MUST_USE enum status desk_incidents(struct casework *casework, int64_t since_ns,
                                    int64_t numbers[static DESK_CASES], size_t *count,
                                    struct error *error);
/* The newest notice that the person was to get, and the place in its scope; NULL: none. */
const struct desk_notice *desk_find_notice(const struct desk_case *about, uint16_t kind,
                                           const char *key, size_t *at);

/* ---- desk_text.c: what those are told who get no notice ---- */

struct desk_texts; /* templates and words; owned */
MUST_USE enum status desk_texts_open(const struct casework *casework, struct desk_texts **texts,
                                     struct error *error);
void desk_texts_close(struct desk_texts *texts); /* NULL is fine */
/* How the people are in scope whom nobody writes to. */
struct desk_presence {
    uint64_t named; /* bits, by place in the cases: in more than figures, neither yes nor no */
    bool counted;   /* in some scope, of figures alone */
};
/* affected NULL: by none of the incidents. asked: the language of the page. The texts are in the
 * arena. */
MUST_USE enum status desk_text(const struct desk_texts *texts, const struct desk_cases *cases,
                               const struct desk_case *affected, struct desk_presence presence,
                               const struct contact_person *person, const char *asked,
                               struct arena *arena, struct mail_message *message,
                               struct error *error);

/* ---- desk_answers.c ---- */

struct desk_counts {
    uint64_t requests, mails, letters, repeated, unknown, kept;
    struct requests_dropped dropped;
};
/* Answers these requests, and takes out of the queue what has been dealt with. A failure is one of
 * database, gateway or mail server: what was not answered is still there. */
MUST_USE enum status desk_answer(struct desk_cases *cases, struct answered *answered,
                                 struct request_file *files, size_t count,
                                 struct desk_counts *counts, struct error *error);

#endif
