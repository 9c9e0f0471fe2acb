/* Notice: the message to each person of a scope. Who gets one, in which words, and what it says;
 * no sending. docs/decisions/0007 and 0008. */
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
 * the line and the rule that it breaks. grades: SCOPE_GRADES_NOTIFIED, or what the DPO decided. */
MUST_USE enum status notice_open(struct casework *casework, const struct scope *scope,
                                 scope_grades grades, struct notice **notice, struct error *error);
void notice_close(struct notice *notice); /* NULL is fine */
/* Hex SHA-256 over scope, audience, templates, senders: what is approved. */
const char *notice_hash(const struct notice *notice);
size_t notice_variants(const struct notice *notice, const struct notice_variant **variants);
/* The audience in order of sending, for the outbox. Borrowed. */
size_t notice_people(const struct notice *notice, const struct outbox_person **people);
/* variant, kind, brand, language, people; then children, deceased … as rows: what --dry-run shows
 */
MUST_USE enum status notice_summary(const struct notice *notice, struct table *table,
                                    struct error *error);

/* How a person can be reached: OUTBOX_READY (mail), LETTER, PUBLIC, SILENT, with the reason. */
enum outbox_state notice_channel(const struct notice *notice, const struct contact_person *person,
                                 const char **reason);
/* The message to one person (scope person at the index; its contact row). Same input, same bytes
 * but for date_ns. bounce: the VERP address's pattern. The texts are in the arena. */
MUST_USE enum status notice_render(const struct notice *notice, size_t person,
                                   const struct contact_person *contact, int64_t date_ns,
                                   struct arena *arena, struct mail_message *message,
                                   struct error *error);
/* The reference on a person's message. */
MUST_USE enum status notice_reference(const struct notice *notice, size_t person,
                                      char reference[static 27], struct error *error);

#endif
