/* Filling of the public pages' templates. A brace that does not open a placeholder is a brace. */
#include "incident/page.h"

#include <string.h>

#include "base/file.h"
#include "incident/document.h"

struct filling {
    const char *path;
    struct slice template;
    size_t at;
    const struct page_value *values;
    bool is_in_if, is_skipping;
    struct buffer *out;
};

static enum status wrong(const struct filling *filling, const char *what, struct error *error)
{
    size_t line = 1;
    for (size_t i = 0; i < filling->at; i++)
        line += filling->template.data[i] == '\n';
    return error_set(error, STATUS_INVALID, "22023",
                     "placeholders are {name}, {if name}, {else} and {end}",
                     "%s: line %zu of the page: %s", filling->path, line, what);
}

static const struct page_value *find(const struct filling *filling, struct slice name)
{
    for (const struct page_value *value = filling->values; value->name != NULL; value++) {
        if (slice_equal(slice_of_text(value->name), name))
            return value;
    }
    return NULL;
}

static bool is_given(const struct page_value *value)
{
    return value->text != NULL && value->text[0] != '\0';
}

static enum status put_value(struct filling *filling, struct slice name, struct error *error)
{
    const struct page_value *value = find(filling, name);
    if (value == NULL)
        return wrong(filling, "an unknown name", error);
    if (filling->is_skipping || value->text == NULL)
        return STATUS_OK;
    if (value->is_markup)
        buffer_append_text(filling->out, value->text);
    else
        document_escape(value->text, filling->out);
    return STATUS_OK;
}

static enum status take_word(struct filling *filling, struct slice word, struct error *error)
{
    static const char begin[] = "if ";
    bool is_else = slice_equal(word, slice_of_text("else"));
    if (is_else || slice_equal(word, slice_of_text("end"))) {
        if (!filling->is_in_if)
            return wrong(filling, "{else} or {end} without {if}", error);
        filling->is_in_if = is_else;
        filling->is_skipping = is_else && !filling->is_skipping;
        return STATUS_OK;
    }
    if (word.len <= sizeof begin - 1 || memcmp(word.data, begin, sizeof begin - 1) != 0)
        return put_value(filling, word, error);
    const struct page_value *value =
        find(filling, slice_of(word.data + sizeof begin - 1, word.len - (sizeof begin - 1)));
    if (value == NULL || filling->is_in_if)
        return wrong(filling, value == NULL ? "an unknown name" : "{if} within {if}", error);
    filling->is_in_if = true;
    filling->is_skipping = !is_given(value);
    return STATUS_OK;
}

/* Bytes of "{word}" at the text, with its word; 0 where there is none. */
static size_t word_at(struct slice text, struct slice *word)
{
    size_t len = 1;
    while (len < text.len && (text.data[len] == '_' || text.data[len] == ' ' ||
                              (text.data[len] >= 'a' && text.data[len] <= 'z')))
        len++;
    if (text.data[0] != '{' || len == 1 || len == text.len || text.data[len] != '}')
        return 0;
    *word = slice_of(text.data + 1, len - 1);
    return len + 1;
}

enum status page_fill(const char *path, struct slice template, const struct page_value *values,
                      struct buffer *out, struct error *error)
{
    struct filling filling = {.path = path, .template = template, .values = values, .out = out};
    while (filling.at < template.len) {
        struct slice word;
        size_t len =
            word_at(slice_of(template.data + filling.at, template.len - filling.at), &word);
        if (len > 0)
            TRY(take_word(&filling, word, error));
        else if (!filling.is_skipping)
            buffer_append_u8(out, template.data[filling.at]);
        filling.at += len > 0 ? len : 1;
    }
    if (filling.is_in_if)
        return wrong(&filling, "{if} without {end}", error);
    return out->overflowed ? STATUS_NOMEM : STATUS_OK;
}

enum status page_load(const char *path, struct buffer *bytes, const char **title,
                      struct slice *body, struct error *error)
{
    TRY(file_read(path, bytes, error));
    uint8_t *line_end = bytes->len == 0 ? NULL : memchr(bytes->data, '\n', bytes->len);
    size_t title_len = line_end == NULL ? 0 : (size_t)(line_end - bytes->data);
    if (title_len == 0 || bytes->len < title_len + 2 || line_end[1] != '\n')
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "%s: the first line is to be its title, the second empty", path);
    *line_end = '\0';
    *title = (const char *)bytes->data;
    *body = slice_of(line_end + 2, bytes->len - title_len - 2);
    return STATUS_OK;
}

void page_blocks(const struct document *document, struct buffer *out)
{
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        bool is_item = block->kind == BLOCK_ITEM;
        const char *element = is_item ? "li" : block->kind == BLOCK_HEADING ? "h3" : "p";
        if (is_item && (i == 0 || block[-1].kind != BLOCK_ITEM))
            buffer_append_text(out, "<ul>\n");
        buffer_printf(out, "<%s>", element);
        document_escape(block->text, out);
        buffer_printf(out, "</%s>\n", element);
        if (is_item && (i + 1 == document->count || block[1].kind != BLOCK_ITEM))
            buffer_append_text(out, "</ul>\n");
    }
}

void page_paragraphs(const char *text, struct buffer *out)
{
    char line[2] = "";
    bool is_open = false;
    for (; *text != '\0'; text++) {
        bool ends = text[0] == '\n' && text[1] == '\n';
        if (*text == '\n') {
            buffer_append_text(out, ends && is_open ? "</p>\n" : is_open ? " " : "");
            is_open = is_open && !ends;
            continue;
        }
        if (!is_open)
            buffer_append_text(out, "<p>");
        is_open = true;
        line[0] = *text;
        document_escape(line, out);
    }
    if (is_open)
        buffer_append_text(out, "</p>\n");
}
