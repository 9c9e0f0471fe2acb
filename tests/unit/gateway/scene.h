/* A ledger and its exposure in a temporary folder, a hand-made plan with the run that carries it
 * out, and upstream's rows. Each function that can fail fails the running test. */
#ifndef TESTS_GATEWAY_SCENE_H
#define TESTS_GATEWAY_SCENE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/release/release.h"
#include "gateway/server.h"
#include "policy/config.h"

enum { SCENE_MAX_HIDDEN = 4 };

struct scene {
    char root[64];
    struct config config;
    struct server server;
    struct policy_partner partner;
    struct policy_agent agent;
    struct plan plan;
    struct plan_hidden hidden[SCENE_MAX_HIDDEN];
    uint32_t column_sets[SCENE_MAX_HIDDEN];
    struct planned planned;
    struct batch batch;
    struct outqueue out;
    struct run *run;
};

/* One visible column; `hidden_count` scalar keys about kind 0 behind it. Change scene->plan before
 * scene_run. */
void scene_open(struct scene *scene, size_t hidden_count);
void scene_close(struct scene *scene);
/* The ledger and what is derived from it, as after a restart. */
void scene_restart(struct scene *scene);
void scene_run(struct scene *scene); /* a new execution; ends the one before */

/* Appends the body of upstream's DataRow, as scene_try_row takes it. */
void scene_put_row(const struct scene *scene, struct buffer *out, const char *visible,
                   const char *const *hidden);
/* Adds a row: the visible text, then the hidden ones and, where plan.has_once, what says that the
 * row is one; NULL is SQL NULL. */
enum status scene_try_row(struct scene *scene, struct error *error, const char *visible,
                          const char *const *hidden);
void scene_row(struct scene *scene, const char *visible, const char *first, const char *second);
/* The row that is none. */
void scene_no_rows(struct scene *scene, const char *first, const char *second);
/* release_batch; what it says. */
enum status scene_release(struct scene *scene, enum ledger_outcome closing, struct error *error);

/* What would reach the client once all is durable: the visible texts, "a b c"; static. */
const char *scene_sent(struct scene *scene);
/* What the ledger tells: a line an entry: "flags rows outcome: grade{key key} grade(k){…}", the
 * flags being O for opening, C for closing, - for neither; static. */
const char *scene_ledger(struct scene *scene);
/* What it tells of changes: "1 change=update 2: changed{key key}", "end 1 committed:", with the
 * first byte of the statement's uuid; static. */
const char *scene_changes(struct scene *scene);

#define assert_status(got, want)                                                                   \
    do {                                                                                           \
        enum status got_ = (got), want_ = (want);                                                  \
        if (got_ != want_)                                                                         \
            fail_msg("status is %s, expected %s", status_name(got_), status_name(want_));          \
    } while (0)

#endif
