/* The message to one person. Nothing here depends on anything but the notice, the person's row and
 * the date; a name is words in a greeting and nothing else. */
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/reference.h"
#include "incident/document.h"
#include "incident/notice_private.h"

enum { BODY_BYTES = 256 * 1024, LONGEST_NAME = 120, MESSAGE_ID_BYTES = 16 };

/* ---- how a person is reached ---- */

enum outbox_state notice_channel(const struct notice *notice, const struct contact_person *person,
                                 const char **reason)
{
    (void)notice;
    bool can_post = person->post_count > 0 && !person->gone_away && !person->safe_contact;
    bool can_mail = person->email != NULL && mail_address_usable(person->email);
    *reason = person->deceased                    ? "deceased"
              : can_mail                          ? "email"
              : can_post && person->email == NULL ? "no email address"
              : can_post                          ? "the email address cannot be used"
              : person->safe_contact              ? "safe contact: not by post"
              : person->gone_away                 ? "gone away"
                                                  : "no usable address";
    return person->deceased ? OUTBOX_SILENT
           : can_mail       ? OUTBOX_READY
           : can_post       ? OUTBOX_LETTER
                            : OUTBOX_PUBLIC;
}

/* ---- names ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (uint8_t)c >= 0x80;
}

/* A name that is an address of the web or a text of its own is not read out to its bearer: whoever
 * typed it into a form would be speaking in our message. */
static bool is_plain_name(const char *name)
{
    size_t characters = 0;
    for (const char *at = name; *at != '\0'; at++) {
        characters += ((uint8_t)*at & 0xC0) != 0x80;
        if (strchr("/<>@:{}[]|\\\"", *at) != NULL || (*at >= '0' && *at <= '9'))
            return false;
        if (*at == '.' && is_letter(at[1]) && is_letter(at[2])) /* evil.com, not J.R.R. */
            return false;
    }
    return characters > 0 && characters <= LONGEST_NAME;
}

static const char *greet(const struct contact_person *contact, struct arena *arena)
{
    const char *name = contact->name == NULL ? NULL : document_clean(contact->name, arena);
    return name != NULL && is_plain_name(name) ? name : NULL;
}

/* Is the person younger than that on the day? (29 February counts as 1 March.) */
static bool is_younger(int32_t birth_day, int years, int64_t date_ns)
{
    if (birth_day == INT32_MIN)
        return false;
    const int64_t day_ns = INT64_C(86400000000000);
    struct zone_time birth = zone_local(NULL, birth_day * day_ns);
    struct zone_time today = zone_local(NULL, date_ns);
    int age = today.year - birth.year;
    if (today.month < birth.month || (today.month == birth.month && today.day < birth.day))
        age--;
    return age < years;
}

/* ---- references ---- */

/* What is derived for a person: for its own use each, named by what. */
static void derive(const struct notice *notice, const char *what, const char *kind,
                   struct slice key, char reference[static REFERENCE_ROOM])
{
    uint8_t numbers[16];
    store_u64be(numbers, (uint64_t)notice->scope->incident.number);
    store_u64be(numbers + 8, (uint64_t)notice->number);
    struct slice parts[] = {slice_of_text(what), slice_of(numbers, sizeof numbers),
                            slice_of_text(kind), key};
    reference_derive(notice->secret, parts, sizeof parts / sizeof parts[0], reference);
}

enum status notice_reference(const struct notice *notice, size_t person,
                             char reference[static REFERENCE_ROOM], struct error *error)
{
    const struct scope_person *found = &notice->scope->people[person];
    char key[256];
    TRY(scope_key(notice->scope, found->id, key));
    derive(notice, "reference", notice->casework->policy->kinds[found->kind].name,
           slice_of_text(key), reference);
    crypto_wipe(key, sizeof key);
    return STATUS_OK;
}

/* Random to whoever has not the secret, and the same for the same message. */
static const char *make_message_id(const struct notice *notice, uint32_t id, const char *sender,
                                   struct arena *arena)
{
    uint8_t bytes[20], mac[CRYPTO_SHA256_BYTES];
    store_u64be(bytes, (uint64_t)notice->scope->incident.number);
    store_u64be(bytes + 8, (uint64_t)notice->number);
    store_u32be(bytes + 16, id);
    struct slice parts[] = {slice_of_text("message-id"), slice_of(bytes, sizeof bytes)};
    crypto_hmac_sha256(slice_of(notice->secret, sizeof notice->secret), parts, 2, mac);
    char hex[2 * MESSAGE_ID_BYTES + 1];
    crypto_hex(mac, MESSAGE_ID_BYTES, hex);
    const char *at = strrchr(sender, '@');
    return arena_printf(arena, "%s%s", hex, at == NULL ? "@localhost" : at);
}

/* ---- the message ---- */

static enum status append_text(const struct document *body, struct arena *arena, const char **text,
                               struct error *error)
{
    struct buffer out;
    buffer_init(&out, BODY_BYTES);
    document_text(body, &out);
    const char *whole = buffer_text(&out);
    *text = whole == NULL ? NULL : arena_strdup(arena, whole);
    buffer_free(&out);
    return *text != NULL ? STATUS_OK
                         : error_set(error, STATUS_LIMIT, "54000", NULL, "a message is too long");
}

static enum status append_html(const struct document *body, const char *language, const char *title,
                               struct arena *arena, const char **html, struct error *error)
{
    struct buffer out;
    buffer_init(&out, BODY_BYTES);
    document_html(body, language, title, &out);
    const char *whole = buffer_text(&out);
    *html = whole == NULL ? NULL : arena_strdup(arena, whole);
    buffer_free(&out);
    return *html != NULL ? STATUS_OK
                         : error_set(error, STATUS_LIMIT, "54000", NULL, "a message is too long");
}

static void tell_class(const struct notice_class *class, struct letter_person *person)
{
    person->taken = class->taken;
    person->taken_count = class->taken_count;
    person->elsewhere = class->elsewhere;
    person->elsewhere_count = class->elsewhere_count;
    person->not_held = class->not_held;
    person->not_held_count = class->not_held_count;
}

/* When the message was approved that this one replaces. */
static enum status tell_replaced(const struct notice *notice, size_t person,
                                 const struct notice_language *language, struct arena *arena,
                                 struct letter_person *told, struct error *error)
{
    if (notice->told == NULL || notice->told[person] == 0)
        return STATUS_OK;
    return letter_date_in(language->words, language->zone,
                          notice->earlier_ns[notice->told[person] - 1], arena, &told->replaces_date,
                          error);
}

/* What the letter knows of a person of the scope; the variant goes to *text. */
static enum status describe(const struct notice *notice, size_t person,
                            const struct contact_person *contact, int64_t date_ns,
                            struct arena *arena, size_t *variant, struct letter_person *described,
                            struct error *error)
{
    const struct scope *scope = notice->scope;
    const struct scope_person *found = &scope->people[person];
    const struct notice_class *class = notice_class_of(notice, found);
    uint32_t slot = *notice_variant_slot(notice, found);
    if (slot == UINT32_MAX || !class->used)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                         "this person is not in the notice's audience");
    const struct notice_language *language = notice->texts[slot].language;
    char *reference = arena_alloc(arena, REFERENCE_ROOM);
    if (reference == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for a message");
    TRY(notice_reference(notice, person, reference, error));
    *described = (struct letter_person){
        .name = greet(contact, arena),
        .country = scope->countries[found->country],
        .reference = reference,
        .confirmed = (found->flags & SCOPE_CONFIRMED) != 0,
        .child = (found->flags & SCOPE_CHILD) != 0 ||
                 is_younger(contact->birth_day, notice->child_below_years, date_ns),
    };
    tell_class(class, described);
    TRY(letter_date_in(language->words, language->zone, date_ns, arena, &described->date, error));
    TRY(tell_replaced(notice, person, language, arena, described, error));
    *variant = slot;
    return STATUS_OK;
}

static enum status make_message(const struct notice *notice, size_t variant,
                                const struct letter_person *person, struct arena *arena,
                                struct mail_message *message, struct error *error)
{
    const struct notice_text *text = &notice->texts[variant];
    const struct notice_variant *said = &notice->variants[variant];
    struct document body;
    TRY(letter_body(text->template, text->language->words, &text->about, person, arena, &body,
                    error));
    struct mail_message made = {
        .from_name = said->sender_name,
        .from_address = said->sender,
        .to_name = person->name,
        .subject = said->subject,
        .language = said->language,
    };
    TRY(append_text(&body, arena, &made.text, error));
    TRY(append_html(&body, said->language, said->subject, arena, &made.html, error));
    *message = made;
    return STATUS_OK;
}

enum status notice_render(const struct notice *notice, size_t person,
                          const struct contact_person *contact, int64_t date_ns,
                          struct arena *arena, struct mail_message *message, struct error *error)
{
    struct letter_person described;
    struct mail_message made;
    size_t variant;
    TRY(describe(notice, person, contact, date_ns, arena, &variant, &described, error));
    TRY(make_message(notice, variant, &described, arena, &made, error));
    made.to_address = contact->email == NULL ? NULL : arena_strdup(arena, contact->email);
    made.message_id = make_message_id(notice, notice->scope->people[person].id,
                                      notice->variants[variant].sender, arena);
    made.date_ns = date_ns;
    if (made.message_id == NULL || (contact->email != NULL && made.to_address == NULL))
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for a message");
    *message = made;
    return STATUS_OK;
}

enum status notice_render_letter(const struct notice *notice, size_t person,
                                 const struct contact_person *contact, int64_t date_ns,
                                 struct arena *arena, const char **text, struct error *error)
{
    struct letter_person described;
    struct document body;
    size_t variant;
    TRY(describe(notice, person, contact, date_ns, arena, &variant, &described, error));
    described.printed = true;
    const struct notice_text *with = &notice->texts[variant];
    TRY(letter_body(with->template, with->language->words, &with->about, &described, arena, &body,
                    error));
    return append_text(&body, arena, text, error);
}

enum status notice_render_sample(const struct notice *notice, size_t variant,
                                 enum notice_sample sample, const char *to_address, int64_t date_ns,
                                 struct arena *arena, struct mail_message *message,
                                 struct error *error)
{
    const struct notice_text *text = &notice->texts[variant];
    const struct notice_variant *said = &notice->variants[variant];
    size_t class = sample == NOTICE_SAMPLE_FULL ? text->full : text->common;
    char *reference = arena_alloc(arena, REFERENCE_ROOM);
    if (reference == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for a message");
    derive(notice, "sample", said->kind, slice_of_text(said->language), reference);
    size_t model = sample == NOTICE_SAMPLE_FULL ? text->full_model : text->common_model;
    const struct scope_person *like = &notice->scope->people[model];
    struct letter_person person = {.name = "Alex Example",
                                   .reference = reference,
                                   .country = notice->scope->countries[like->country],
                                   .confirmed = (like->flags & SCOPE_CONFIRMED) != 0};
    tell_class(&notice->classes[class], &person);
    TRY(tell_replaced(notice, model, text->language, arena, &person, error));
    TRY(letter_date(text->language->words, date_ns, arena, &person.date, error));
    struct mail_message made;
    TRY(make_message(notice, variant, &person, arena, &made, error));
    made.to_address = to_address;
    made.date_ns = date_ns;
    made.message_id =
        make_message_id(notice, UINT32_MAX - (uint32_t)(2 * variant + sample), said->sender, arena);
    if (made.message_id == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for a message");
    *message = made;
    return STATUS_OK;
}
