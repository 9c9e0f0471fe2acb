/* Notice: the message to each person of a scope. Who gets one, in which words, and what it says;
 * no sending. A notice belongs to a phase: once one has been approved for the phase, opening it
 * again gives that one, with the facts as they were approved; what became known since needs a new
 * phase, whose notice goes to those alone who were not yet told, or of whom more is known now.
 * docs/decisions/0007 and 0008; templates: cofferdam-notice(5).
 * A notice is immutable once open: any thread may render from it, each with an arena of its own. */
#ifndef COFFERDAM_INCIDENT_NOTICE_H
#define COFFERDAM_INCIDENT_NOTICE_H

#include "contact/contact.h"
#include "incident/scope.h"
#include "mail/mail.h"
#include "registry/outbox.h"

/* One text: for a kind, a brand and a language. People with the same one get the same words but
 * for their own name, categories and reference. */
struct notice_variant {
    const char *kind, *brand, *language;
    const char *subject;
    const char *opening; /* the first lines below the salutation: what the public page shows */
    const char *sender;  /* address */
    const char *sender_name;
    uint64_t people;
};
struct notice; /* a plan: templates, variants, audience; owned */

/* Loads and lints the templates for every variant in the scope. STATUS_INVALID names the template,
 * the line and the rule that it breaks. grades: SCOPE_GRADES_NOTIFIED, or what the DPO decided; of
 * a notice that has been approved the grades are those that were approved. Borrows casework and
 * scope. */
MUST_USE enum status notice_open(struct casework *casework, const struct scope *scope,
                                 scope_grades grades, struct notice **notice, struct error *error);
void notice_close(struct notice *notice); /* NULL is fine */
/* Hex SHA-256 over scope, audience, templates, senders, facts: what is approved. */
const char *notice_hash(const struct notice *notice);
/* What to keep as the settings of the approved incident_notice: notice_open reads it back. */
const char *notice_settings(const struct notice *notice);
/* Its number within the incident: that of the approved one, or the next. */
int64_t notice_number(const struct notice *notice);
size_t notice_variants(const struct notice *notice, const struct notice_variant **variants);
/* The audience in order of sending, for the outbox. Borrowed. */
size_t notice_people(const struct notice *notice, const struct outbox_person **people);
/* item, kind, brand, language, people, note: the variants, then children, deceased … as rows, then
 * what the texts rest on, with a note of what to look at: what --dry-run shows. */
MUST_USE enum status notice_summary(const struct notice *notice, struct table *table,
                                    struct error *error);

/* How a person can be reached: OUTBOX_READY (mail), LETTER, PUBLIC, SILENT, with the reason. */
enum outbox_state notice_channel(const struct notice *notice, const struct contact_person *person,
                                 const char **reason);
/* The message to one person (scope person at the index; its contact row). Same input, same bytes
 * but for date_ns. The texts are in the arena. STATUS_NOT_FOUND: the person's key was erased. */
MUST_USE enum status notice_render(const struct notice *notice, size_t person,
                                   const struct contact_person *contact, int64_t date_ns,
                                   struct arena *arena, struct mail_message *message,
                                   struct error *error);
/* The same for print: the text alone. */
MUST_USE enum status notice_render_letter(const struct notice *notice, size_t person,
                                          const struct contact_person *contact, int64_t date_ns,
                                          struct arena *arena, const char **text,
                                          struct error *error);
/* The reference on a person's message. */
MUST_USE enum status notice_reference(const struct notice *notice, size_t person,
                                      char reference[static 27], struct error *error);

/* A variant's message to an invented person, to be looked at: with the categories that most people
 * of the variant have, or with all that occur in it. Its reference is not published. to_address is
 * the caller's. */
enum notice_sample { NOTICE_SAMPLE_COMMON, NOTICE_SAMPLE_FULL };
MUST_USE enum status notice_render_sample(const struct notice *notice, size_t variant,
                                          enum notice_sample sample, const char *to_address,
                                          int64_t date_ns, struct arena *arena,
                                          struct mail_message *message, struct error *error);

#endif
