/* Facts are grouped by partner, then by what happened to them and for which purpose; a group has
 * one period and the categories in it. A column without category is told by its name, so that
 * nothing is left out. */
#include "cli/access_letter.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"

enum { WIDTH = 76, PHRASE_BYTES = 64 * 1024, ITEMS_MAX = 200, INDENT = 3 };

static const int64_t HOUR_NS = 3600LL * 1000000000;

struct writing {
    const struct access_letter *letter;
    struct buffer *out;
    struct buffer phrase; /* being put together */
    struct error *error;
};

/* ---- text ---- */

static size_t width_of(const char *text, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len; i++)
        width += ((unsigned char)text[i] & 0xC0) != 0x80;
    return width;
}

/* A paragraph: its first line behind `mark`, the others as far in. Broken at spaces only: a
 * no-break space is two other bytes. */
static void put_paragraph(struct buffer *out, size_t indent, const char *mark, const char *text)
{
    size_t inside = indent + strlen(mark), at = inside;
    buffer_printf(out, "%*s%s", (int)indent, "", mark);
    for (bool first = true; *text != '\0'; first = false) {
        size_t len = strcspn(text, " "), width = width_of(text, len);
        if (!first && at + 1 + width > WIDTH) {
            buffer_printf(out, "\n%*s", (int)inside, "");
            at = inside;
        } else if (!first) {
            buffer_append_u8(out, ' ');
            at++;
        }
        buffer_append(out, text, len);
        at += width;
        text += len + strspn(text + len, " ");
    }
    buffer_append_u8(out, '\n');
}

static enum status phrase_of(const struct writing *writing, const char *section, const char *key,
                             const char **text)
{
    *text = words_get(writing->letter->phrases, section, key);
    return *text != NULL ? STATUS_OK
                         : error_set(writing->error, STATUS_INVALID, "F0000", NULL,
                                     "the letter's phrases lack %s.%s", section, key);
}

/* Fills one name into a phrase and puts it as a paragraph. value NULL: nothing to fill in. */
static enum status put_phrase(struct writing *writing, size_t indent, const char *section,
                              const char *key, const char *name, const char *value)
{
    const char *text;
    const char *const names[] = {value == NULL ? NULL : name, NULL};
    const char *const values[] = {value, NULL};
    TRY(phrase_of(writing, section, key, &text));
    buffer_clear(&writing->phrase);
    words_fill(&writing->phrase, text, names, values);
    const char *filled = buffer_text(&writing->phrase);
    if (filled == NULL)
        return error_set(writing->error, STATUS_LIMIT, "54000", NULL, "the letter is too long");
    put_paragraph(writing->out, indent, "", filled);
    return STATUS_OK;
}

/* ---- groups of facts ---- */

/* What people are told apart by: a witness and an influence had a part in an answer. A probe is a
 * question, and gave nothing away by itself. */
static const char *tier_of(const char *grade)
{
    static const char *const own[] = {"direct", "declared", "aggregate", "probe", "changed"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(grade, own[i]) == 0)
            return own[i];
    return "influence";
}

struct group {
    const char *partner, *tier, *purpose;
    int64_t first_ns, last_ns;
};

static struct group group_of(const struct table *facts, const struct table_row *row)
{
    return (struct group){.partner = cli_cell(facts, row, "partner"),
                          .tier = tier_of(cli_cell(facts, row, "grade")),
                          .purpose = cli_cell(facts, row, "purpose"),
                          .first_ns = INT64_MAX,
                          .last_ns = INT64_MIN};
}

static bool in_group(const struct table *facts, const struct table_row *row,
                     const struct group *group)
{
    struct group other = group_of(facts, row);
    return strcmp(group->partner, other.partner) == 0 && strcmp(group->tier, other.tier) == 0 &&
           strcmp(group->purpose, other.purpose) == 0;
}

/* Is there none of the group before this row? */
static bool begins_group(const struct table *facts, const struct table_row *row,
                         const struct group *group)
{
    const struct table_row *other = facts->first;
    while (other != row && !in_group(facts, other, group))
        other = other->next;
    return other == row;
}

static enum status find_period(struct writing *writing, struct group *group)
{
    const struct table *facts = writing->letter->facts;
    for (const struct table_row *row = facts->first; row != NULL; row = row->next) {
        int64_t first_ns, last_ns;
        if (!in_group(facts, row, group))
            continue;
        TRY(clock_parse(cli_cell(facts, row, "first"), &first_ns, writing->error));
        TRY(clock_parse(cli_cell(facts, row, "last"), &last_ns, writing->error));
        group->first_ns = first_ns < group->first_ns ? first_ns : group->first_ns;
        group->last_ns = last_ns > group->last_ns ? last_ns : group->last_ns;
    }
    return STATUS_OK;
}

/* ---- what it was ---- */

struct items {
    char *texts[ITEMS_MAX];
    size_t count;
    struct buffer others; /* columns without category */
    bool failed;
};

static void add_item(struct items *items, const char *text)
{
    for (size_t i = 0; i < items->count; i++)
        if (strcmp(items->texts[i], text) == 0)
            return;
    char *copy = items->count < ITEMS_MAX ? strdup(text) : NULL;
    items->failed = items->failed || copy == NULL;
    if (copy != NULL)
        items->texts[items->count++] = copy;
}

static void add_category(struct writing *writing, struct items *items, const char *category,
                         const char *form)
{
    static const char *const names[] = {"category", NULL};
    const struct words *words = writing->letter->words;
    bool masked = strcmp(form, "masked") == 0;
    const char *text = words_get(words, masked ? "masked" : "categories", category);
    const char *token = words_get(writing->letter->phrases, "what", "token");
    if (text == NULL)
        text = strncmp(category, "x_", 2) == 0 ? category + 2 : category;
    const char *const values[] = {text, NULL};
    buffer_clear(&writing->phrase);
    words_fill(&writing->phrase, strcmp(form, "token") == 0 && token != NULL ? token : "{category}",
               names, values);
    const char *filled = buffer_text(&writing->phrase);
    if (filled != NULL)
        add_item(items, filled);
    items->failed = items->failed || filled == NULL;
}

static void add_other(struct items *items, const char *column)
{
    const char *before = buffer_text(&items->others);
    size_t len = strlen(column);
    for (const char *at = before; at != NULL && (at = strstr(at, column)) != NULL; at += len)
        if ((at == before || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0'))
            return;
    buffer_printf(&items->others, "%s%s", items->others.len == 0 ? "" : ", ", column);
}

static void gather(struct writing *writing, const struct group *group, struct items *items)
{
    const struct table *facts = writing->letter->facts;
    for (const struct table_row *row = facts->first; row != NULL; row = row->next) {
        if (!in_group(facts, row, group))
            continue;
        const char *category = cli_cell(facts, row, "category");
        const char *column = cli_cell(facts, row, "column");
        if (category[0] != '\0')
            add_category(writing, items, category, cli_cell(facts, row, "form"));
        else if (column[0] != '\0')
            add_other(items, column);
    }
}

static enum status put_items(struct writing *writing, struct items *items)
{
    const char *presence, *other;
    static const char *const names[] = {"names", NULL};
    const char *const values[] = {buffer_text(&items->others), NULL};
    TRY(phrase_of(writing, "what", "presence", &presence));
    TRY(phrase_of(writing, "what", "other", &other));
    if (items->failed || values[0] == NULL)
        return error_set(writing->error, STATUS_LIMIT, "54000", NULL, "the letter is too long");
    for (size_t i = 0; i < items->count; i++)
        put_paragraph(writing->out, INDENT, "- ", items->texts[i]);
    if (items->others.len > 0) {
        buffer_clear(&writing->phrase);
        words_fill(&writing->phrase, other, names, values);
        const char *filled = buffer_text(&writing->phrase);
        put_paragraph(writing->out, INDENT, "- ", filled == NULL ? "" : filled);
    } else if (items->count == 0) {
        put_paragraph(writing->out, INDENT, "- ", presence);
    }
    return STATUS_OK;
}

/* ---- a group, a partner ---- */

static enum status put_period(struct writing *writing, const struct group *group)
{
    static const char *const names[] = {"first", "last", NULL};
    struct buffer first, last, period;
    const char *text;
    buffer_init(&first, PHRASE_BYTES);
    buffer_init(&last, PHRASE_BYTES);
    buffer_init(&period, PHRASE_BYTES);
    const struct words *words = writing->letter->words;
    enum status status = words_date(words, group->first_ns, &first, writing->error);
    if (status == STATUS_OK) /* hours are what the index knows: the last one's end */
        status = words_date(words, group->last_ns + HOUR_NS - 1, &last, writing->error);
    bool day = status == STATUS_OK && slice_equal(buffer_slice(&first), buffer_slice(&last));
    if (status == STATUS_OK)
        status = phrase_of(writing, "period", day ? "day" : "days", &text);
    if (status == STATUS_OK) {
        const char *const values[] = {buffer_text(&first), buffer_text(&last), NULL};
        words_fill(&period, text, names, values);
        status = put_phrase(writing, INDENT, "grades", group->tier, "period", buffer_text(&period));
    }
    buffer_free(&first);
    buffer_free(&last);
    buffer_free(&period);
    return status;
}

static enum status put_group(struct writing *writing, struct group *group)
{
    struct items items = {0};
    const char *purpose = words_get(writing->letter->phrases, "purposes", group->purpose);
    buffer_init(&items.others, PHRASE_BYTES);
    buffer_append_u8(writing->out, '\n');
    enum status status = find_period(writing, group);
    if (status == STATUS_OK)
        status = put_period(writing, group);
    if (status == STATUS_OK && group->purpose[0] == '\0')
        status = put_phrase(writing, INDENT, "letter", "no_purpose", NULL, NULL);
    else if (status == STATUS_OK)
        status = put_phrase(writing, INDENT, "letter", "purpose", "purpose",
                            purpose == NULL ? group->purpose : purpose);
    if (status == STATUS_OK && strcmp(group->tier, "probe") != 0) {
        gather(writing, group, &items);
        status = put_items(writing, &items);
    }
    for (size_t i = 0; i < items.count; i++)
        free(items.texts[i]);
    buffer_free(&items.others);
    return status;
}

static enum status put_partner(struct writing *writing, const char *name, size_t number)
{
    const struct policy_partner *partner = policy_find_partner(writing->letter->policy, name);
    buffer_printf(writing->out, "\n%zu. %s\n", number, name);
    if (partner == NULL)
        return STATUS_OK;
    if (partner->agreement != NULL)
        TRY(put_phrase(writing, INDENT, "letter", "contract", "agreement", partner->agreement));
    if (partner->sub_processor_count == 0)
        return STATUS_OK;
    struct buffer names;
    buffer_init(&names, PHRASE_BYTES);
    for (size_t i = 0; i < partner->sub_processor_count; i++)
        buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", partner->sub_processors[i]);
    enum status status =
        put_phrase(writing, INDENT, "letter", "sub_processors", "names", buffer_text(&names));
    buffer_free(&names);
    return status;
}

static const char *const received[] = {"direct",    "declared", "aggregate",
                                       "influence", "changed",  NULL};
static const char *const asked[] = {"probe", NULL};

/* Is this fact of one of the tiers? */
static bool is_of(const struct table *facts, const struct table_row *row, const char *const *tiers)
{
    const char *tier = tier_of(cli_cell(facts, row, "grade"));
    while (*tiers != NULL && strcmp(*tiers, tier) != 0)
        tiers++;
    return *tiers != NULL;
}

static bool has_any(const struct table *facts, const char *const *tiers)
{
    const struct table_row *row = facts->first;
    while (row != NULL && !is_of(facts, row, tiers))
        row = row->next;
    return row != NULL;
}

static enum status put_partners(struct writing *writing, const char *const *tiers)
{
    const struct table *facts = writing->letter->facts;
    const char *partner = "";
    size_t number = 0;
    for (const struct table_row *first = facts->first; first != NULL; first = first->next) {
        if (strcmp(cli_cell(facts, first, "partner"), partner) == 0 || !is_of(facts, first, tiers))
            continue;
        partner = cli_cell(facts, first, "partner");
        TRY(put_partner(writing, partner, ++number));
        for (size_t t = 0; tiers[t] != NULL; t++)
            for (const struct table_row *row = first; row != NULL; row = row->next) {
                struct group group = group_of(facts, row);
                if (strcmp(group.partner, partner) == 0 && strcmp(group.tier, tiers[t]) == 0 &&
                    begins_group(facts, row, &group))
                    TRY(put_group(writing, &group));
            }
    }
    return STATUS_OK;
}

/* ---- the letter ---- */

static void add_way(struct writing *writing, struct buffer *ways, const char *key,
                    const char *value)
{
    static const char *const names[] = {"value", NULL};
    const char *const values[] = {value, NULL};
    const char *form = words_get(writing->letter->phrases, "contact", key);
    if (value == NULL || form == NULL)
        return;
    buffer_append_text(ways, ways->len == 0 ? "" : ", ");
    words_fill(ways, form, names, values);
}

static enum status put_contact(struct writing *writing)
{
    const struct policy_controller *controller = &writing->letter->policy->controller;
    static const char *const names[] = {"name", "ways", NULL};
    struct buffer ways;
    const char *text;
    buffer_init(&ways, PHRASE_BYTES);
    add_way(writing, &ways, "email", controller->dpo_email);
    add_way(writing, &ways, "phone", controller->dpo_phone);
    add_way(writing, &ways, "post", controller->dpo_post);
    bool named = controller->dpo_name != NULL;
    enum status status = phrase_of(writing, "letter", named ? "contact" : "contact_unnamed", &text);
    if (status == STATUS_OK && ways.len > 0) {
        const char *const values[] = {named ? controller->dpo_name : "", buffer_text(&ways), NULL};
        buffer_clear(&writing->phrase);
        words_fill(&writing->phrase, text, names, values);
        const char *filled = buffer_text(&writing->phrase);
        buffer_append_u8(writing->out, '\n');
        put_paragraph(writing->out, 0, "", filled == NULL ? "" : filled);
    }
    buffer_free(&ways);
    return status;
}

static enum status put_head(struct writing *writing)
{
    const struct access_letter *letter = writing->letter;
    static const char *const names[] = {"kind", "key", NULL};
    const char *const values[] = {letter->kind, letter->key, NULL};
    const char *person;
    struct buffer since;
    if (letter->policy->controller.name != NULL)
        buffer_printf(writing->out, "%s\n\n", letter->policy->controller.name);
    TRY(put_phrase(writing, 0, "letter", "title", NULL, NULL));
    TRY(phrase_of(writing, "letter", "person", &person));
    words_fill(writing->out, person, names, values);
    buffer_append_text(writing->out, "\n\n");
    buffer_init(&since, PHRASE_BYTES);
    enum status status = words_date(letter->words, letter->since_ns, &since, writing->error);
    if (status == STATUS_OK)
        status = put_phrase(writing, 0, "letter", "request", "since", buffer_text(&since));
    if (status == STATUS_OK && letter->is_cut) {
        buffer_append_u8(writing->out, '\n');
        status = put_phrase(writing, 0, "letter", "dropped", "since", buffer_text(&since));
    }
    buffer_free(&since);
    return status;
}

static enum status put_letter(struct writing *writing)
{
    const struct table *facts = writing->letter->facts;
    bool anybody = has_any(facts, received);
    TRY(put_head(writing));
    buffer_append_u8(writing->out, '\n');
    TRY(put_phrase(writing, 0, "letter", anybody ? "recipients" : "nobody", NULL, NULL));
    TRY(put_partners(writing, received));
    if (has_any(facts, asked)) {
        buffer_append_u8(writing->out, '\n');
        TRY(put_phrase(writing, 0, "letter", "asked", NULL, NULL));
        TRY(put_partners(writing, asked));
    }
    buffer_append_u8(writing->out, '\n');
    TRY(put_phrase(writing, 0, "letter", "elsewhere", NULL, NULL));
    buffer_append_u8(writing->out, '\n');
    TRY(put_phrase(writing, 0, "letter", "rights", NULL, NULL));
    return put_contact(writing);
}

enum status access_letter_write(const struct access_letter *letter, struct buffer *out,
                                struct error *error)
{
    struct writing writing = {.letter = letter, .out = out, .error = error};
    buffer_init(&writing.phrase, PHRASE_BYTES);
    enum status status = put_letter(&writing);
    buffer_free(&writing.phrase);
    if (status == STATUS_OK && out->overflowed)
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "the letter is too long");
    return status;
}
