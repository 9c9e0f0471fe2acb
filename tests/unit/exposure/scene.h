/* A ledger and its exposure in a temporary folder, and short-hands. Each function that can fail
 * fails the running test. */
#ifndef TESTS_EXPOSURE_SCENE_H
#define TESTS_EXPOSURE_SCENE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "exposure/exposure.h"
#include "exposure/subject_set.h"

struct scene {
    char root[64], subjects[96], ledger_folder[96];
    struct ledger *ledger;
    struct exposure *exposure;
};

void scene_make(struct scene *scene); /* folders only */
void scene_remove(struct scene *scene);
enum status scene_try_open(struct scene *scene, struct error *error);
void scene_open(struct scene *scene);
void scene_close(struct scene *scene);
/* subjects/name, in a static buffer. */
const char *scene_subjects_file(const struct scene *scene, const char *name);

struct subject_key key_of(uint16_t kind, const char *text);

struct disclosure {
    const char *partner;
    enum ledger_type type; /* 0: LEDGER_DISCLOSURE */
    uint16_t flags, kind;
    uint8_t grade;
    uint32_t k;
    uint32_t column_set;
    int64_t time_ns;
    const char *const *keys; /* keys or, where NULL, number … number + count - 1 as text */
    size_t number, count;
    const char *purpose, *text; /* NULL: none */
    uint8_t statement;          /* each byte of its hash */
};
/* Maps, appends, records; returns the sequence. */
uint64_t disclose(struct scene *scene, const struct disclosure *disclosure);
uint32_t column_set(struct scene *scene, const char *canonical);

int64_t instant(const char *text);
/* All cells, "a|b|c\n" a row. Owned. */
char *table_text(const struct table *table);

#define assert_status(got, want)                                                                   \
    do {                                                                                           \
        enum status got_ = (got), want_ = (want);                                                  \
        if (got_ != want_)                                                                         \
            fail_msg("status is %s, expected %s", status_name(got_), status_name(want_));          \
    } while (0)

#endif
