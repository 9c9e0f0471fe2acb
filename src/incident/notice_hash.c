/* What is approved, as one hash: the settings, the scope, every text's version and sender, what
 * each class of people is told, who gets which message in which order, and which columns of which
 * table say where it goes. */
#include <inttypes.h>
#include <string.h>

#include "crypto/crypto.h"
#include "incident/notice_private.h"

enum { TEXT_BYTES = 256 * 1024 * 1024, PERSON_BYTES = 12 };

static void write_parts(const char *const *parts, size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *part = parts[i] == NULL ? "" : parts[i];
        buffer_printf(out, "%zu:%s,", strlen(part), part);
    }
}

static void write_variant(const struct notice *notice, size_t at, struct buffer *out)
{
    const struct notice_variant *variant = &notice->variants[at];
    const struct notice_text *text = &notice->texts[at];
    const struct letter_case *about = &text->about;
    const char *parts[] = {
        variant->kind,
        variant->brand,
        variant->language,
        variant->sender,
        variant->sender_name,
        template_version(text->template),
        words_version(text->language->words),
        lint_version(text->language->lint),
        about->brand,
        about->controller,
        about->privacy_page,
        about->dpo_name,
        about->dpo_email,
        about->dpo_phone,
        about->dpo_post,
    };
    write_parts(parts, sizeof parts / sizeof parts[0], out);
    buffer_printf(out, "%" PRIu64 "\n", variant->people);
}

/* Where the people of a kind are found, and whom a child's letter addresses. */
static void write_contact(const struct notice *notice, const struct policy_kind *kind,
                          struct buffer *out)
{
    const struct policy_contact *contact = &kind->contact;
    const struct policy_dataset *dataset =
        policy_find_dataset(notice->casework->policy, kind->dataset);
    const char *parts[] = {
        kind->name,
        dataset == NULL ? NULL : dataset->schema,
        dataset == NULL ? NULL : dataset->table,
        kind->key,
        contact->name,
        contact->email,
        contact->language,
        contact->brand,
        contact->country,
        contact->birth_date,
        contact->gone_away,
        contact->deceased,
        contact->safe_contact,
    };
    write_parts(parts, sizeof parts / sizeof parts[0], out);
    write_parts(contact->post, contact->post_count, out);
    buffer_printf(out, "child below %d\n", notice->child_below_years);
}

static void write_names(const char *const *names, size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, " %s", names[i]);
    buffer_append_u8(out, '\n');
}

static void write_class(const struct notice_class *class, struct buffer *out)
{
    for (size_t i = 0; i < class->taken_count; i++)
        buffer_printf(out, " %s%s", class->taken[i].name, class->taken[i].masked ? "*" : "");
    buffer_append_u8(out, '\n');
    write_names(class->elsewhere, class->elsewhere_count, out);
    write_names(class->not_held, class->not_held_count, out);
}

enum status notice_hash_settle(struct notice *notice, struct error *error)
{
    const struct scope *scope = notice->scope;
    struct buffer out;
    buffer_init(&out, TEXT_BYTES);
    buffer_printf(&out,
                  "notice 1\nincident %" PRId64 " phase %" PRId64 " notice %" PRId64 "\n%s\n%s",
                  scope->incident.number, scope->phase.number, notice->number, scope->sha256,
                  notice->settings);
    for (size_t i = 0; i < notice->casework->policy->kind_count; i++)
        write_contact(notice, &notice->casework->policy->kinds[i], &out);
    for (size_t i = 0; i < notice->variant_count; i++)
        write_variant(notice, i, &out);
    size_t classes = notice->casework->policy->kind_count * scope->class_count;
    for (size_t i = 0; i < classes; i++)
        if (notice->classes[i].used)
            write_class(&notice->classes[i], &out);
    for (size_t i = 0; i < notice->person_count; i++) {
        const struct outbox_person *person = &notice->people[i];
        uint8_t bytes[PERSON_BYTES];
        store_u32be(bytes, person->id);
        store_u16be(bytes + 4, person->kind);
        store_u16be(bytes + 6, person->tier);
        store_u32be(bytes + 8, person->variant);
        buffer_append(&out, bytes, sizeof bytes);
    }
    struct slice text = buffer_slice(&out);
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(&text, 1, digest);
    crypto_hex(digest, sizeof digest, notice->hash);
    enum status status = out.overflowed ? error_set(error, STATUS_LIMIT, "54000", NULL,
                                                    "the audience is too large to be hashed")
                                        : STATUS_OK;
    buffer_free(&out);
    return status;
}
