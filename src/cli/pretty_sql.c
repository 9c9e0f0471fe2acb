/* Lays out what the emitter writes: keywords in capitals, names and functions not, so that a word
 * tells by its look whether a clause begins. */
#include "cli/pretty_sql.h"

#include <ctype.h>
#include <string.h>

enum { INDENT = 2, LONG_LINE = 88, DEPTH_MAX = 256 };

struct layout {
    struct pretty_names *names;
    struct buffer *out;
    bool selects[DEPTH_MAX]; /* by depth of parentheses: it holds a SELECT */
    size_t depth, indent;
    size_t line_begin; /* in out */
    struct slice last; /* the word before, empty behind anything else */
};

/* ---- words ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

/* Bytes of the next token: a quoted text, a word, or one character. */
static size_t token_len(const char *text)
{
    size_t len = 1;
    if (text[0] == '\'' || text[0] == '"') {
        for (; text[len] != '\0'; len++) {
            if (text[len] == text[0] && text[len + 1] == text[0])
                len++;
            else if (text[len] == text[0])
                return len + 1;
        }
        return len;
    }
    while (is_word(text[0]) && is_word(text[len]))
        len++;
    return len;
}

static bool is(struct slice word, const char *text)
{
    return slice_equal(word, slice_of_text(text));
}

static bool is_one_of(struct slice word, const char *const *words)
{
    while (*words != NULL && !is(word, *words))
        words++;
    return *words != NULL;
}

static struct slice next_word(const char *text)
{
    text += strspn(text, " ");
    return slice_of(text, *text == '\0' ? 0 : token_len(text));
}

/* ---- hidden names ---- */

static bool is_hidden(struct slice word)
{
    if (word.len != PRETTY_NAME_LEN || word.data[0] != 'h')
        return false;
    for (size_t i = 1; i < word.len; i++)
        if (strchr("0123456789abcdef", word.data[i]) == NULL)
            return false;
    return true;
}

/* 1 for the first; 0: there is no room for more. */
static size_t number_of(struct pretty_names *names, struct slice word)
{
    for (size_t i = 0; i < names->count; i++)
        if (is(word, names->names[i]))
            return i + 1;
    if (names->count == PRETTY_NAMES)
        return 0;
    memcpy(names->names[names->count], word.data, word.len);
    return ++names->count;
}

/* Reads the same without its quotes. */
static bool is_plain(struct slice bare)
{
    for (size_t i = 0; i < bare.len; i++)
        if (!(islower(bare.data[i]) || bare.data[i] == '_' || (i > 0 && isdigit(bare.data[i]))))
            return false;
    return bare.len > 0;
}

static void put(struct pretty_names *names, struct buffer *out, struct slice token)
{
    struct slice bare = token;
    if (token.len == PRETTY_NAME_LEN + 2 && token.data[0] == '"')
        bare = slice_of(token.data + 1, PRETTY_NAME_LEN);
    size_t number = is_hidden(bare) ? number_of(names, bare) : 0;
    if (number > 0)
        buffer_printf(out, "h%zu", number);
    else if (token.len > 2 && token.data[0] == '"' &&
             is_plain(slice_of(token.data + 1, token.len - 2)))
        buffer_append(out, token.data + 1, token.len - 2);
    else
        buffer_append(out, token.data, token.len);
}

void pretty_text(struct pretty_names *names, const char *text, struct buffer *out)
{
    while (*text != '\0') {
        bool quote = *text == '\'' || *text == '"'; /* prose has them in other ways */
        size_t len = quote ? 1 : token_len(text);
        put(names, out, slice_of(text, len));
        text += len;
    }
}

/* ---- lines ---- */

/* Bytes of what every line has and nobody reads: the schema of the built-in functions and types,
 * and OPERATOR(), of which *operator is what is left. */
static size_t noise_len(const char *sql, struct slice *operator)
{
    static const char call[] = "OPERATOR(\"pg_catalog\".", schema[] = "\"pg_catalog\".";
    if (strncmp(sql, schema, sizeof schema - 1) == 0)
        return sizeof schema - 1;
    if (strncmp(sql, call, sizeof call - 1) != 0)
        return 0;
    *operator= slice_of(sql + sizeof call - 1, strcspn(sql + sizeof call - 1, ")"));
    return sizeof call + operator->len;
}

static void new_line(struct layout *layout, size_t more)
{
    while (layout->out->len > layout->line_begin && layout->out->data[layout->out->len - 1] == ' ')
        layout->out->len--;
    if (layout->out->len > 0)
        buffer_append_u8(layout->out, '\n');
    layout->line_begin = layout->out->len;
    buffer_printf(layout->out, "%*s", (int)(layout->indent * INDENT + more), "");
}

static bool in_select(const struct layout *layout)
{
    return layout->depth == 0 || layout->depth >= DEPTH_MAX || layout->selects[layout->depth];
}

static bool begins_join(const struct layout *layout, struct slice word, const char *rest)
{
    static const char *const sides[] = {"LEFT",  "RIGHT", "FULL",    "INNER",
                                        "CROSS", "OUTER", "NATURAL", NULL};
    if (is(word, "JOIN"))
        return !is_one_of(layout->last, sides);
    struct slice next = next_word(rest);
    return is_one_of(word, sides) && !is_one_of(layout->last, sides) &&
           (is(next, "JOIN") || is_one_of(next, sides));
}

static bool begins_clause(const struct layout *layout, struct slice word, const char *rest)
{
    static const char *const clauses[] = {
        "SELECT", "WHERE", "GROUP",  "HAVING",    "ORDER",  "LIMIT", "OFFSET",    "FETCH",
        "WINDOW", "UNION", "EXCEPT", "INTERSECT", "VALUES", "SET",   "RETURNING", NULL};
    if (begins_join(layout, word, rest))
        return true;
    if (!in_select(layout))
        return false;
    if (is(word, "FROM"))
        return !is(layout->last, "DISTINCT") && !is(layout->last, "DELETE");
    return is_one_of(word, clauses) || (is(word, "ON") && is(next_word(rest), "CONFLICT"));
}

static void open(struct layout *layout, const char *rest)
{
    struct slice next = next_word(rest);
    bool select = is(next, "SELECT") || is(next, "VALUES") || is(next, "WITH");
    buffer_append_u8(layout->out, '(');
    layout->depth++;
    if (layout->depth < DEPTH_MAX)
        layout->selects[layout->depth] = select;
    if (select) {
        layout->indent++;
        new_line(layout, 0);
    }
}

static void close(struct layout *layout)
{
    bool select = layout->depth > 0 && layout->depth < DEPTH_MAX && layout->selects[layout->depth];
    if (select) {
        layout->indent--;
        new_line(layout, 0);
    }
    buffer_append_u8(layout->out, ')');
    layout->depth -= layout->depth > 0;
}

static bool at_begin(const struct layout *layout)
{
    return layout->out->len == layout->line_begin + layout->indent * INDENT;
}

static void put_token(struct layout *layout, struct slice token, const char *rest)
{
    bool word = is_word((char)token.data[0]);
    if (word && !at_begin(layout) && begins_clause(layout, token, rest))
        new_line(layout, 0);
    if (token.data[0] == '(')
        open(layout, rest);
    else if (token.data[0] == ')')
        close(layout);
    else if (token.data[0] != ' ' || !at_begin(layout))
        put(layout->names, layout->out, token);
    if (token.data[0] == ',' && in_select(layout) &&
        layout->out->len - layout->line_begin > LONG_LINE)
        new_line(layout, 2 * INDENT);
    if (token.data[0] != ' ')
        layout->last = word ? token : slice_of("", 0);
}

void pretty_sql(struct pretty_names *names, const char *sql, struct buffer *out)
{
    struct layout layout = {.names = names, .out = out, .line_begin = out->len};
    while (*sql != '\0') {
        struct slice operator= {0};
        size_t noise = noise_len(sql, &operator);
        size_t len = noise > 0 ? noise : token_len(sql);
        bool opened = out->len > 0 && strchr(" (", out->data[out->len - 1]) != NULL;
        if (noise > 0)
            buffer_append(out, operator.data, operator.len);
        else if (!opened || *sql != ' ')
            put_token(&layout, slice_of(sql, len), sql + len);
        sql += len;
    }
}
