/* What a notice is made of, behind notice.h. Private to notice*.c. */
#ifndef COFFERDAM_INCIDENT_NOTICE_PRIVATE_H
#define COFFERDAM_INCIDENT_NOTICE_PRIVATE_H

#include "incident/letter.h"
#include "incident/lint.h"
#include "incident/notice.h"

/* ---- notice_facts.c: what is known of the case, as it was approved ---- */
/* Names and values; what settings are written from and read back to. */
struct notice_facts {
    struct notice_fact {
        const char *name, *value;
    } * facts;
    size_t count;
};
/* From the case file, for the languages (tags) that there are. */
MUST_USE enum status notice_facts_read(const struct casework *casework, const struct scope *scope,
                                       const char *const *languages, size_t language_count,
                                       scope_grades grades, struct arena *arena,
                                       struct notice_facts *facts, struct error *error);
/* NULL: not given. language: of a fact that is words, "partner_service" is English and
 * "partner_service_fr" French; NULL otherwise. */
const char *notice_fact(const struct notice_facts *facts, const char *name, const char *language);
int64_t notice_fact_time(const struct notice_facts *facts, const char *name); /* INT64_MIN: none */
/* The canonical text: a line a fact. NULL: no memory. */
const char *notice_facts_write(const struct notice_facts *facts, struct arena *arena);
/* STATUS_CORRUPT for what notice_facts_write did not make. */
MUST_USE enum status notice_facts_parse(const char *settings, struct arena *arena,
                                        struct notice_facts *facts, struct error *error);

/* ---- notice_language.c ---- */
struct notice_language {
    const char *tag;
    struct words *words;
    struct lint *lint;
    struct zone *zone;           /* of its dates; NULL: UTC */
    struct template **templates; /* by kind of the policy; several may be the same */
    size_t kind_count;
};
/* The languages of the data folder, by name: those with words and a template. */
MUST_USE enum status notice_languages_load(const struct casework *casework, struct arena *arena,
                                           struct notice_language **languages, size_t *count,
                                           struct error *error);
void notice_languages_free(struct notice_language *languages, size_t count);
/* Which of them a person is written to in: that of past dealings, else the country's, else English,
 * else the first. */
size_t notice_language_choose(const struct notice_language *languages, size_t count,
                              const char *spoken, const char *country);

/* ---- notice_class.c: what people of a kind with the same facts are told ---- */
struct notice_class {
    bool used; /* somebody of the audience is of it */
    const struct letter_category *taken;
    size_t taken_count;
    const char *const *elsewhere, *const *not_held;
    size_t elsewhere_count, not_held_count;
    uint64_t clear, masked; /* bits of notice->categories */
    bool sensitive;
};

enum { NOTICE_CATEGORIES = 64 };

/* A variant and what it is made with. */
struct notice_text {
    const struct notice_language *language;
    const struct template *template;
    struct letter_case about;
    size_t common, full; /* the class that most people have, and the one with most categories */
    /* Somebody of each, by place in the scope: whether samples say that it is confirmed, that a
     * message is replaced, and which country's advice they give. Never a name. */
    size_t common_model, full_model;
};

struct notice {
    struct arena arena;
    const struct casework *casework;
    const struct scope *scope;
    scope_grades grades;
    int64_t number;
    int child_below_years;
    uint8_t secret[32];
    struct notice_facts facts;
    const char *settings;
    char hash[65];

    struct notice_language *languages;
    size_t language_count;
    size_t *language_of; /* by scope language × country */

    const char *categories[NOTICE_CATEGORIES]; /* the number of a bit */
    size_t category_count;
    uint64_t *held;               /* bits, by kind: what we have of such people anywhere */
    struct notice_class *classes; /* by kind × class of the scope */

    struct notice_variant *variants;
    struct notice_text *texts; /* beside variants */
    size_t variant_count;
    uint32_t *variant_of; /* by kind × brand × language; UINT32_MAX: nobody */

    struct outbox_person *people; /* in order of sending */
    uint32_t *places;             /* beside people: index in the scope */
    size_t person_count;

    /* What earlier notices told: by person of the scope, the number of the notice in earlier[],
     * plus one; 0: none. NULL where there was none. */
    uint8_t *told;
    int64_t earlier_ns[256];
    size_t earlier_count;
    uint64_t told_already; /* in scope, and nothing new to tell them */
};

struct notice_class *notice_class_of(const struct notice *notice,
                                     const struct scope_person *person);
/* Makes the class of a person's kind and facts where that has not been done. */
MUST_USE enum status notice_class_make(struct notice *notice, const struct scope *scope,
                                       const struct scope_person *person, struct notice_class *made,
                                       struct error *error);
/* The categories in the order in which they are told, and what is held of each kind. */
MUST_USE enum status notice_categories_settle(struct notice *notice, struct error *error);
/* The index of the variant of a person of the audience. */
uint32_t *notice_variant_slot(const struct notice *notice, const struct scope_person *person);

/* Its facts, as the letters of a variant tell them. */
MUST_USE enum status notice_tell(const struct notice *notice, const struct notice_variant *variant,
                                 const struct notice_language *language, struct arena *arena,
                                 struct letter_case *about, struct error *error);

/* ---- notice_audience.c ---- */
/* Who gets a message: variants, people and order. skip: who needs none. */
MUST_USE enum status notice_audience_settle(struct notice *notice, const bool *skip,
                                            struct error *error);

/* ---- notice_hash.c ---- */
MUST_USE enum status notice_hash_settle(struct notice *notice, struct error *error);

/* ---- notice_earlier.c ---- */
/* Fills told and leaves out who needs no new message: skip[person]. */
MUST_USE enum status notice_earlier_read(struct casework *casework, struct notice *notice,
                                         bool *skip, struct error *error);

#endif
