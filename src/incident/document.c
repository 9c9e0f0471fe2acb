/* Blocks as plain text and as HTML. */
#include "incident/document.h"

#include <string.h>

enum { TEXT_WIDTH = 72 };

/* ---- UTF-8 ---- */

/* Decodes one character (RFC 3629); 0 bytes read: it is broken. */
static size_t decode(const uint8_t *at, size_t left, uint32_t *character)
{
    uint8_t lead = at[0];
    size_t len = lead < 0x80                   ? 1
                 : lead >= 0xC2 && lead < 0xE0 ? 2
                 : lead >= 0xE0 && lead < 0xF0 ? 3
                 : lead >= 0xF0 && lead < 0xF5 ? 4
                                               : 0;
    if (len == 0 || len > left)
        return 0;
    static const uint8_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value = lead & lead_bits[len];
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3F);
    }
    if (value < least[len] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return 0;
    *character = value;
    return len;
}

/* Characters that are a break or a control: a space in their stead. */
static bool is_break(uint32_t character)
{
    return character <= 0x20 || (character >= 0x7F && character < 0xA0) || character == 0x2028 ||
           character == 0x2029;
}

/* Characters that nobody sees and that change how others are shown. The joiners U+200C and U+200D
 * stay: some scripts write names with them. */
static bool is_hidden(uint32_t character)
{
    return character == 0xAD || character == 0x61C || character == 0x180E || character == 0x200B ||
           character == 0x200E || character == 0x200F ||
           (character >= 0x202A && character <= 0x202E) ||
           (character >= 0x2060 && character <= 0x206F) || character == 0xFEFF ||
           (character >= 0xFFF9 && character <= 0xFFFB) ||
           (character >= 0xE0000 && character <= 0xE007F);
}

const char *document_clean(const char *text, struct arena *arena)
{
    size_t left = strlen(text), used = 0;
    char *clean = arena_alloc(arena, left + 1);
    if (clean == NULL)
        return NULL;
    const uint8_t *at = (const uint8_t *)text;
    while (left > 0) {
        uint32_t character = 0;
        size_t len = decode(at, left, &character);
        if (len == 0) {
            len = 1; /* a byte of no character */
        } else if (is_break(character)) {
            if (used > 0 && clean[used - 1] != ' ')
                clean[used++] = ' ';
        } else if (!is_hidden(character)) {
            memcpy(clean + used, at, len);
            used += len;
        }
        at += len;
        left -= len;
    }
    while (used > 0 && clean[used - 1] == ' ')
        used--;
    clean[used] = '\0';
    return clean;
}

/* ---- text ---- */

static size_t width_of(const char *text, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len; i++)
        width += ((uint8_t)text[i] & 0xC0) != 0x80;
    return width;
}

/* Breaks at spaces; the first line begins with lead, the others with indent. */
static void append_wrapped(struct buffer *out, const char *text, const char *lead,
                           const char *indent)
{
    size_t column = strlen(lead);
    buffer_append_text(out, lead);
    bool first = true;
    while (*text != '\0') {
        size_t len = strcspn(text, " "), width = width_of(text, len);
        if (!first && column + 1 + width > TEXT_WIDTH) {
            buffer_append_text(out, "\n");
            buffer_append_text(out, indent);
            column = strlen(indent);
        } else if (!first) {
            buffer_append_text(out, " ");
            column++;
        }
        buffer_append(out, text, len);
        column += width;
        text += len + (text[len] == ' ');
        first = false;
    }
    buffer_append_text(out, "\n");
}

void document_text(const struct document *document, struct buffer *out)
{
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        bool in_list = block->kind == BLOCK_ITEM && i > 0 && block[-1].kind == BLOCK_ITEM;
        if (i > 0 && !in_list)
            buffer_append_text(out, block->kind == BLOCK_HEADING ? "\n\n" : "\n");
        if (block->kind == BLOCK_ITEM)
            append_wrapped(out, block->text, "- ", "  ");
        else
            append_wrapped(out, block->text, "", "");
    }
}

/* ---- HTML ---- */

void document_escape(const char *text, struct buffer *out)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buffer_append_text(out, "&amp;");
            break;
        case '<':
            buffer_append_text(out, "&lt;");
            break;
        case '>':
            buffer_append_text(out, "&gt;");
            break;
        case '"':
            buffer_append_text(out, "&quot;");
            break;
        case '\'':
            buffer_append_text(out, "&#39;");
            break;
        default:
            buffer_append_u8(out, (uint8_t)*text);
        }
    }
}

/* Telephones make links of what looks like a number or an address by themselves; the meta element
 * asks them not to. */
static const char head[] =
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"format-detection\" content=\"telephone=no, date=no, address=no, email=no, "
    "url=no\">\n";
static const char style[] = "font-family: Arial, Helvetica, sans-serif; font-size: 17px; "
                            "line-height: 1.5; color: #1a1a1a; background: #ffffff; "
                            "max-width: 38em; margin: 0 auto; padding: 1em";

void document_html(const struct document *document, const char *language, const char *title,
                   struct buffer *out)
{
    buffer_append_text(out, "<!DOCTYPE html>\n<html lang=\"");
    document_escape(language, out);
    buffer_append_text(out, "\">\n<head>\n");
    buffer_append_text(out, head);
    buffer_append_text(out, "<title>");
    document_escape(title, out);
    buffer_printf(out, "</title>\n</head>\n<body style=\"%s\">\n", style);
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        bool item = block->kind == BLOCK_ITEM;
        const char *element = item ? "li" : block->kind == BLOCK_HEADING ? "h2" : "p";
        if (item && (i == 0 || block[-1].kind != BLOCK_ITEM))
            buffer_append_text(out, "<ul>\n");
        buffer_printf(out, "<%s>", element);
        document_escape(block->text, out);
        buffer_printf(out, "</%s>\n", element);
        if (item && (i + 1 == document->count || block[1].kind != BLOCK_ITEM))
            buffer_append_text(out, "</ul>\n");
    }
    buffer_append_text(out, "</body>\n</html>\n");
}
