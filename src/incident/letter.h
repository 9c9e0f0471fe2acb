/* Letter: what one person reads. Facts of the case and facts of the person go into a template and
 * come out as a document; nothing is read from anywhere. A letter names as lost only what is in
 * the person's own list. */
#ifndef COFFERDAM_INCIDENT_LETTER_H
#define COFFERDAM_INCIDENT_LETTER_H

#include "base/clock.h"
#include "incident/template.h"
#include "policy/words.h"

/* What a notice's templates may say; cofferdam-notice(5) explains each name. */
extern const struct template_schema letter_schema;

/* The same for everybody with one kind, brand and language. Texts may be NULL: not known. */
struct letter_case {
    const char *kind;
    const char *brand, *controller, *privacy_page, *sender;
    const char *dpo_name, *dpo_email, *dpo_phone, *dpo_post;
    const char *partner, *partner_service; /* as people may be told; partner NULL: not named */
    const char *what_happened, *consequences, *measures; /* staff's, in the letter's language */
    const char *noticed_date, *contained_date, *reported_date, *since_date;
    const char *reported_to; /* the authority, by its name in the words: ico */
};
/* A category and how much of it. */
struct letter_category {
    const char *name;
    bool masked; /* only a part of it, or a rough form */
};
struct letter_person {
    const char *name; /* NULL or "": none on file */
    const char *country;
    const char *reference, *date;
    const char *replaces_date; /* of the message that this one replaces; NULL: it is the first */
    const struct letter_category *taken;
    size_t taken_count;
    /* What we hold of people of this kind and the partner did not have of this one; what we hold of
     * nobody. Names of categories. */
    const char *const *elsewhere, *const *not_held;
    size_t elsewhere_count, not_held_count;
    bool confirmed; /* seen in what was stolen */
    bool child;
    bool printed; /* goes by post */
};

/* Every category has its phrase: a letter must not keep silent about one. */
MUST_USE enum status letter_check(const struct words *words, const struct letter_category *taken,
                                  size_t count, struct error *error);
/* section NULL: the whole; "subject" and "opening" are asked for apart. */
MUST_USE enum status letter_fill(const struct template *template, const struct words *words,
                                 const struct letter_case *about,
                                 const struct letter_person *person, const char *section,
                                 struct arena *arena, struct document *document,
                                 struct error *error);
/* The one line of a section such as "subject". */
MUST_USE enum status letter_line(const struct template *template, const struct words *words,
                                 const struct letter_case *about,
                                 const struct letter_person *person, const char *section,
                                 struct arena *arena, const char **line, struct error *error);
/* The body: every section but the subject. */
MUST_USE enum status letter_body(const struct template *template, const struct words *words,
                                 const struct letter_case *about,
                                 const struct letter_person *person, struct arena *arena,
                                 struct document *document, struct error *error);
/* The zone in which the language's dates are told; NULL: UTC. The caller's to free. Opening one
 * takes longer than writing a letter does. */
MUST_USE enum status letter_zone(const struct words *words, struct zone **zone,
                                 struct error *error);
/* "22 November 2026", "1er décembre 2026". */
MUST_USE enum status letter_date_in(const struct words *words, const struct zone *zone,
                                    int64_t time_ns, struct arena *arena, const char **date,
                                    struct error *error);
/* letter_date_in, in the language's zone. */
MUST_USE enum status letter_date(const struct words *words, int64_t time_ns, struct arena *arena,
                                 const char **date, struct error *error);

#endif
