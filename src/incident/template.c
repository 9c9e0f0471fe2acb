/* Reading a template into lines.
 * Invariants: after template_parse every {if} and {each} has its {end} in the same section, every
 * name is one that the schema or the policy's categories have. */
#include "incident/template_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "policy/policy.h"

enum { FILE_BYTES = 64 * 1024, ARENA_BYTES = 16 * FILE_BYTES, DEPTH = 8 };

struct parser {
    struct template *into;
    const struct template_schema *schema;
    size_t next_section; /* how many of the schema's sections have begun */
    size_t open[DEPTH];  /* lines of {if}s and {each}s that wait for their {end} */
    size_t depth;
    struct error *error;
};

static enum status fail(const struct template *template, int line, struct error *error,
                        const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static enum status fail(const struct template *template, int line, struct error *error,
                        const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char text[300];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(error, STATUS_INVALID, "22023", hint, "%s:%d: %s", template->name, line, text);
}

const char *template_among(const char *const *names, const char *name, size_t len)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return names[i];
    return NULL;
}

static bool is_condition(const struct template_schema *schema, const char *name)
{
    size_t len = strlen(name);
    return template_among(schema->conditions, name, len) != NULL ||
           template_among(schema->texts, name, len) != NULL ||
           template_among(schema->lists, name, len) != NULL ||
           template_among(policy_categories, name, len) != NULL || strncmp(name, "x_", 2) == 0;
}

/* ---- reading ---- */

static bool in_each(const struct parser *parser)
{
    for (size_t i = 0; i < parser->depth; i++)
        if (parser->into->lines[parser->open[i]].kind == LINE_EACH)
            return true;
    return false;
}

/* "a and not b", "a or b": fills the line's terms. */
static enum status read_condition(const struct parser *parser, struct line *line)
{
    const struct template *template = parser->into;
    static const char *const hint = "{if NAME}, {if not NAME}, {if A and B}, {if A or B}";
    bool seen_and = false, wants_term = true, negated = false;
    for (const char *at = line->text; *at != '\0';) {
        size_t len = strcspn(at, " ");
        const char *word = arena_copy(&parser->into->arena, at, len);
        if (word == NULL)
            return error_set(parser->error, STATUS_NOMEM, "53200", NULL, "template too large");
        at += len + strspn(at + len, " ");
        if (wants_term && !negated && strcmp(word, "not") == 0) {
            negated = true;
        } else if (wants_term) {
            if (!is_condition(parser->schema, word))
                return fail(template, line->number, parser->error, hint,
                            "unknown condition \"%.60s\"", word);
            if (line->term_count == TEMPLATE_TERMS)
                return fail(template, line->number, parser->error, hint, "too many conditions");
            line->terms[line->term_count++] = (struct term){word, negated};
            wants_term = negated = false;
        } else if (strcmp(word, "and") == 0 && !line->any) {
            seen_and = wants_term = true;
        } else if (strcmp(word, "or") == 0 && !seen_and) {
            line->any = wants_term = true;
        } else {
            return fail(template, line->number, parser->error, hint, "\"%.60s\" cannot stand here",
                        word);
        }
    }
    if (wants_term)
        return fail(template, line->number, parser->error, hint, "a condition is missing");
    return STATUS_OK;
}

/* Every {name} in the words must be known. */
static enum status check_words(const struct parser *parser, const struct line *line)
{
    const struct template *template = parser->into;
    for (const char *at = line->text; (at = strpbrk(at, "{}")) != NULL;) {
        size_t len = strcspn(at + 1, "{}");
        if (*at == '}' || at[1 + len] != '}')
            return fail(template, line->number, parser->error, "{name}",
                        "a brace without its partner");
        if (len == 4 && memcmp(at + 1, "item", 4) == 0) {
            if (!in_each(parser))
                return fail(template, line->number, parser->error, "{each LIST} … {item} … {end}",
                            "{item} outside of {each}");
        } else if (template_among(parser->schema->texts, at + 1, len) == NULL) {
            return fail(template, line->number, parser->error,
                        "cofferdam-notice(5) lists the placeholders", "unknown placeholder {%.*s}",
                        (int)len, at + 1);
        }
        at += len + 2;
    }
    return STATUS_OK;
}

static enum status read_section(struct parser *parser, struct line *line, const char *text)
{
    const struct template *template = parser->into;
    size_t len = strcspn(text + 1, "]");
    const char *expected = parser->schema->sections[parser->next_section];
    if (text[1 + len] != ']')
        return fail(template, line->number, parser->error, "[section] Heading", "\"]\" is missing");
    if (parser->depth > 0)
        return fail(template, template->lines[parser->open[parser->depth - 1]].number,
                    parser->error, "{end} on a line of its own",
                    "no {end} before the next section");
    if (expected == NULL || strlen(expected) != len || memcmp(expected, text + 1, len) != 0)
        return fail(template, line->number, parser->error,
                    "the sections stand in the order that cofferdam-notice(5) gives",
                    "section [%.*s] where %s%s%s is due", (int)len, text + 1,
                    expected == NULL ? "the end" : "[", expected == NULL ? "" : expected,
                    expected == NULL ? "" : "]");
    parser->next_section++;
    line->kind = LINE_HEADING;
    line->section = expected;
    text += len + 2;
    line->text = text + strspn(text, " ");
    return STATUS_OK;
}

static enum status open_block(struct parser *parser, struct line *line, size_t at)
{
    if (parser->depth == DEPTH)
        return fail(parser->into, line->number, parser->error, NULL, "nested too deeply");
    if (line->kind == LINE_EACH &&
        template_among(parser->schema->lists, line->text, strlen(line->text)) == NULL)
        return fail(parser->into, line->number, parser->error,
                    "cofferdam-notice(5) names the lists", "unknown list \"%.60s\"", line->text);
    if (line->kind == LINE_EACH && in_each(parser))
        return fail(parser->into, line->number, parser->error, NULL, "{each} within {each}");
    if (line->kind == LINE_IF)
        TRY(read_condition(parser, line));
    parser->open[parser->depth++] = at;
    return STATUS_OK;
}

static enum status close_block(struct parser *parser, struct line *line, size_t at)
{
    struct line *opened =
        parser->depth == 0 ? NULL : &parser->into->lines[parser->open[parser->depth - 1]];
    if (opened == NULL)
        return fail(parser->into, line->number, parser->error, NULL, "%s without {if}%s",
                    line->kind == LINE_ELSE ? "{else}" : "{end}",
                    line->kind == LINE_ELSE ? "" : " or {each}");
    if (line->kind == LINE_ELSE) {
        if (opened->kind != LINE_IF || opened->other != 0)
            return fail(parser->into, line->number, parser->error, NULL, "{else} without {if}");
        opened->other = at;
        return STATUS_OK;
    }
    opened->end = at;
    if (opened->other == 0)
        opened->other = at;
    parser->depth--;
    return STATUS_OK;
}

/* A line that is a command, "{if …}", gives the kind and what stands behind the word. */
static bool is_command(const char *text, enum line_kind *kind, const char **rest)
{
    static const struct {
        const char *word;
        enum line_kind kind;
    } commands[] = {
        {"{if ", LINE_IF}, {"{each ", LINE_EACH}, {"{else}", LINE_ELSE}, {"{end}", LINE_END}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        size_t len = strlen(commands[i].word);
        if (strncmp(text, commands[i].word, len) == 0) {
            *kind = commands[i].kind;
            *rest = text + len;
            return true;
        }
    }
    return false;
}

static enum status read_command(struct parser *parser, struct line *line, const char *rest,
                                size_t at)
{
    if (line->kind == LINE_ELSE || line->kind == LINE_END) {
        if (*rest != '\0')
            return fail(parser->into, line->number, parser->error, NULL,
                        "a command stands on a line of its own");
        return close_block(parser, line, at);
    }
    size_t len = strcspn(rest, "}");
    if (rest[len] == '\0' || rest[len + 1] != '\0')
        return fail(parser->into, line->number, parser->error, NULL,
                    "a command stands on a line of its own");
    line->text = arena_copy(&parser->into->arena, rest, len);
    if (line->text == NULL)
        return error_set(parser->error, STATUS_NOMEM, "53200", NULL, "template too large");
    return open_block(parser, line, at);
}

/* One line of the file, terminated, without trailing space. */
static enum status read_line(struct parser *parser, const char *text, int number)
{
    struct template *template = parser->into;
    size_t at = template->line_count;
    struct line *line = &template->lines[at];
    if (text[0] == '#')
        return STATUS_OK;
    *line = (struct line){.number = number, .text = text};
    line->section = at == 0 ? NULL : line[-1].section;
    const char *rest = NULL;
    if (text[0] == '[')
        TRY(read_section(parser, line, text));
    else if (line->section == NULL && text[0] != '\0')
        return fail(template, number, parser->error, "[subject]", "text before the first section");
    else if (line->section == NULL)
        return STATUS_OK;
    else if (is_command(text, &line->kind, &rest))
        TRY(read_command(parser, line, rest, at));
    else if (text[0] == '\0')
        line->kind = LINE_BLANK;
    else if (strncmp(text, "- ", 2) == 0)
        line->kind = LINE_ITEM, line->text = text + 2;
    if (line->kind == LINE_TEXT || line->kind == LINE_ITEM || line->kind == LINE_HEADING)
        TRY(check_words(parser, line));
    template->line_count++;
    return STATUS_OK;
}

static enum status read_lines(struct parser *parser, char *text)
{
    struct template *template = parser->into;
    int number = 0;
    for (char *next = text; next != NULL;) {
        char *line = next;
        next = strchr(line, '\n');
        size_t len = next == NULL ? strlen(line) : (size_t)(next - line);
        if (next != NULL)
            next++;
        while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
            len--;
        line[len] = '\0';
        TRY(read_line(parser, line, ++number));
    }
    if (parser->depth > 0)
        return fail(template, template->lines[parser->open[parser->depth - 1]].number,
                    parser->error, "{end} on a line of its own", "no {end} before the file's end");
    if (parser->schema->sections[parser->next_section] != NULL)
        return fail(template, number, parser->error,
                    "the sections stand in the order that cofferdam-notice(5) gives",
                    "section [%s] is missing", parser->schema->sections[parser->next_section]);
    return STATUS_OK;
}

enum status template_parse(const char *name, struct slice text,
                           const struct template_schema *schema, struct template **parsed,
                           struct error *error)
{
    if (memchr(text.data, '\0', text.len) != NULL)
        return error_set(error, STATUS_INVALID, "22023", NULL, "%s: not a text", name);
    struct template *template = calloc(1, sizeof *template);
    if (template == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&template->arena, ARENA_BYTES);
    template->schema = schema;
    template->name = arena_strdup(&template->arena, name);
    size_t lines = 2;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    template->lines = arena_array(&template->arena, struct line, lines);
    char *copy = arena_copy(&template->arena, (const char *)text.data, text.len);
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(&text, 1, digest);
    crypto_hex(digest, sizeof digest, template->version);
    struct parser parser = {.into = template, .schema = schema, .error = error};
    enum status status =
        template->name == NULL || template->lines == NULL || copy == NULL
            ? error_set(error, STATUS_NOMEM, "53200", NULL, "%s: the template is too large", name)
            : read_lines(&parser, copy);
    if (status == STATUS_OK)
        *parsed = template;
    else
        template_free(template);
    return status;
}

enum status template_load(const char *path, const struct template_schema *schema,
                          struct template **loaded, struct error *error)
{
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK)
        status = template_parse(path, buffer_slice(&text), schema, loaded, error);
    buffer_free(&text);
    return status;
}

void template_free(struct template *freed)
{
    if (freed == NULL)
        return;
    arena_free(&freed->arena);
    free(freed);
}

const char *template_name(const struct template *of)
{
    return of->name;
}

const char *template_version(const struct template *of)
{
    return of->version;
}
