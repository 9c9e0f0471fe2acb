/* What the columns of a list are, told by their names; and what stands in a line. */
#include <string.h>

#include "incident/confirm_private.h"

enum { NAMES_ROOM = 64 };

static const char *const common[CONFIRM_COLUMNS][8] = {
    [CONFIRM_KEY] = {"key", "token", "subject", NULL},
    [CONFIRM_KIND] = {"kind", NULL},
    [CONFIRM_EMAIL] = {"email", "mail", "email_address", NULL},
    [CONFIRM_PHONE] = {"phone", "telephone", "mobile", "phone_number", NULL},
    [CONFIRM_NAME] = {"full_name", "name", NULL},
    [CONFIRM_POSTCODE] = {"postcode", "post_code", "postal_code", "zip", NULL},
};

static size_t find_common(const struct csv_row *row, enum confirm_column column)
{
    size_t at = csv_column(row, common[column]);
    return at == row->count ? SIZE_MAX : at;
}

static size_t find_one(const struct csv_row *row, const char *name)
{
    size_t at = name == NULL ? row->count : csv_column(row, (const char *const[]){name, NULL});
    return at == row->count ? SIZE_MAX : at;
}

/* customer.customer_id says whose key it is; so does customer_id where no other kind has a key of
 * that name. */
static void find_key(const struct policy *policy, const struct csv_row *row,
                     struct confirm_header *header)
{
    for (size_t k = 0; k < policy->kind_count && header->at[CONFIRM_KEY] == SIZE_MAX; k++) {
        const struct policy_kind *kind = &policy->kinds[k];
        for (size_t i = 0; i < row->count; i++) {
            size_t len = strlen(kind->name);
            if (strncmp(row->fields[i], kind->name, len) == 0 && row->fields[i][len] == '.' &&
                strcmp(row->fields[i] + len + 1, kind->key) == 0) {
                header->at[CONFIRM_KEY] = i;
                header->kind = (uint16_t)k;
            }
        }
    }
    if (header->at[CONFIRM_KEY] != SIZE_MAX)
        return;
    for (size_t k = 0; k < policy->kind_count; k++) {
        size_t at = find_one(row, policy->kinds[k].key);
        if (at == SIZE_MAX)
            continue;
        bool first = header->at[CONFIRM_KEY] == SIZE_MAX;
        if (first || header->at[CONFIRM_KEY] == at)
            header->kind = first ? (uint16_t)k : CONFIRM_ANY_KIND;
        header->at[CONFIRM_KEY] = first ? at : header->at[CONFIRM_KEY];
    }
    if (header->at[CONFIRM_KEY] == SIZE_MAX)
        header->at[CONFIRM_KEY] = find_common(row, CONFIRM_KEY);
}

/* The policy's own names of contact columns. */
static void find_contact(const struct policy *policy, const struct csv_row *row,
                         struct confirm_header *header)
{
    for (size_t k = 0; k < policy->kind_count; k++) {
        const struct policy_contact *contact = &policy->kinds[k].contact;
        const char *const names[CONFIRM_COLUMNS] = {[CONFIRM_EMAIL] = contact->email,
                                                    [CONFIRM_PHONE] = contact->phone,
                                                    [CONFIRM_NAME] = contact->name};
        for (size_t c = CONFIRM_EMAIL; c <= CONFIRM_NAME; c++)
            if (header->at[c] == SIZE_MAX)
                header->at[c] = find_one(row, names[c]);
    }
}

static enum status no_known_column(const struct policy *policy, struct error *error)
{
    return error_set(error, STATUS_INVALID, "22P04",
                     "name one of the columns key, token, email, phone, or full_name and postcode",
                     "the first line names no column by which a person can be found (such as %s)",
                     policy->kind_count == 0 ? "key" : policy->kinds[0].key);
}

enum status confirm_read_header(const struct policy *policy, const struct csv_row *row,
                                struct confirm_header *header, struct error *error)
{
    *header = (struct confirm_header){.kind = CONFIRM_ANY_KIND};
    for (size_t c = 0; c < CONFIRM_COLUMNS; c++)
        header->at[c] = c == CONFIRM_KEY ? SIZE_MAX : find_common(row, (enum confirm_column)c);
    find_key(policy, row, header);
    find_contact(policy, row, header);
    bool by_name = header->at[CONFIRM_NAME] != SIZE_MAX && header->at[CONFIRM_POSTCODE] != SIZE_MAX;
    if (header->at[CONFIRM_KEY] != SIZE_MAX || header->at[CONFIRM_EMAIL] != SIZE_MAX ||
        header->at[CONFIRM_PHONE] != SIZE_MAX || by_name)
        return STATUS_OK;
    if (row->count > 1)
        return no_known_column(policy, error);
    header->is_data = true;
    header->at[CONFIRM_KEY] = 0;
    return STATUS_OK;
}

/* ---- lines ---- */

static bool is_token(const char *text)
{
    return text[0] == 't' && strlen(text) == TOKEN_ROOM - 1 &&
           strspn(text + 1, "0123456789abcdef") == TOKEN_ROOM - 2;
}

/* The field without blanks around it; NULL where nothing is left. */
static const char *field(const struct confirm_header *header, enum confirm_column column,
                         const struct csv_row *row, struct arena *arena)
{
    static const char blanks[] = " \t\r\n";
    size_t at = header->at[column];
    if (at == SIZE_MAX || at >= row->count)
        return NULL;
    const char *text = row->fields[at] + strspn(row->fields[at], blanks);
    size_t len = strlen(text);
    while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
        len--;
    return len == 0 ? NULL : arena_copy(arena, text, len);
}

/* A column of keys may hold what the partner was given instead: tokens; a bare list also addresses.
 */
static void take_key(const struct confirm_header *header, const char *key,
                     struct confirm_line *line)
{
    if (key == NULL)
        return;
    if (is_token(key))
        line->token = key;
    else if (header->is_data && strchr(key, '@') != NULL)
        line->email = key;
    else
        line->key = key;
}

enum status confirm_read_line(const struct policy *policy, const struct confirm_header *header,
                              const struct csv_row *row, struct arena *arena,
                              struct confirm_line *line, struct error *error)
{
    *line = (struct confirm_line){.number = row->line, .kind = header->kind};
    line->email = field(header, CONFIRM_EMAIL, row, arena);
    line->phone = field(header, CONFIRM_PHONE, row, arena);
    take_key(header, field(header, CONFIRM_KEY, row, arena), line);
    const char *name = field(header, CONFIRM_NAME, row, arena);
    const char *postcode = field(header, CONFIRM_POSTCODE, row, arena);
    if (name != NULL && postcode != NULL && strchr(name, '\n') == NULL)
        line->name_postcode = arena_printf(arena, "%s\n%s", name, postcode);
    const char *kind = field(header, CONFIRM_KIND, row, arena);
    if (arena->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    const struct policy_kind *known = kind == NULL ? NULL : policy_find_kind(policy, kind);
    if (kind != NULL && known == NULL)
        return error_set(error, STATUS_INVALID, "22P04", "see subjects: in the policy",
                         "line %zu: no such kind of person", row->line);
    if (known != NULL)
        line->kind = (uint16_t)(known - policy->kinds);
    return STATUS_OK;
}
