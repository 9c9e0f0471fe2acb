/* Reading delivery notices with GMime: multipart/report, report-type=delivery-status (RFC 3464).
 * Fields are taken as they stand, cut to their room; anything odd in them becomes "". */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "mail/private.h"

/* Where "Field: value" begins in a text, at the start of a line; NULL where it does not. */
static const char *find_field(const char *text, const char *end, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = text; line < end;) {
        if ((size_t)(end - line) > len && strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1;
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline != NULL ? newline + 1 : end;
    }
    return NULL;
}

/* The first word of a value, printable ASCII; what does not fit is no value. */
static void take_word(const char *value, const char *end, char *out, size_t room)
{
    size_t len = 0;
    out[0] = '\0';
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (value + len < end && value[len] > ' ' && value[len] < 0x7f && value[len] != ';')
        len++;
    if (len < room) {
        memcpy(out, value, len);
        out[len] = '\0';
    }
}

static void take_field(struct slice text, const char *name, char *out, size_t room)
{
    const char *start = (const char *)text.data, *end = start + text.len;
    const char *value = find_field(start, end, name);
    out[0] = '\0';
    if (value != NULL)
        take_word(value, end, out, room);
}

static bool is_action(const char *action)
{
    static const char *const actions[] = {"failed", "delayed", "delivered", "relayed", "expanded"};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(action, actions[i]) == 0)
            return true;
    return false;
}

/* The content of the message/delivery-status part of a report; NULL where there is none. Owned. */
static GByteArray *status_part(GMimeMessage *message)
{
    GMimeObject *top = g_mime_message_get_mime_part(message);
    if (top == NULL || !GMIME_IS_MULTIPART(top))
        return NULL;
    GMimeMultipart *parts = GMIME_MULTIPART(top);
    for (int i = 0; i < g_mime_multipart_get_count(parts); i++) {
        GMimeObject *part = g_mime_multipart_get_part(parts, i);
        GMimeContentType *type = g_mime_object_get_content_type(part);
        if (!g_mime_content_type_is_type(type, "message", "delivery-status") ||
            !GMIME_IS_PART(part) || g_mime_part_get_content(GMIME_PART(part)) == NULL)
            continue;
        GMimeStream *stream = g_mime_stream_mem_new();
        GByteArray *bytes = g_byte_array_new();
        g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), false);
        g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), bytes);
        g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(part)), stream);
        g_object_unref(stream);
        return bytes;
    }
    return NULL;
}

/* The first address of the To line. */
static void take_recipient(GMimeMessage *message, char *out, size_t room)
{
    InternetAddressList *to = g_mime_message_get_to(message);
    out[0] = '\0';
    if (to == NULL || internet_address_list_length(to) == 0)
        return;
    InternetAddress *first = internet_address_list_get_address(to, 0);
    if (!INTERNET_ADDRESS_IS_MAILBOX(first))
        return;
    const char *address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first));
    if (mail_address_usable(address) && strlen(address) < room)
        memcpy(out, address, strlen(address) + 1);
}

static enum status read_report(GMimeMessage *message, struct mail_report *report,
                               struct error *error)
{
    GByteArray *bytes = message != NULL ? status_part(message) : NULL;
    if (bytes == NULL)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL, "the mail is no delivery notice");
    struct slice text = slice_of(bytes->data, bytes->len);
    struct mail_report found;
    take_field(text, "Original-Envelope-Id", found.envelope_id, sizeof found.envelope_id);
    take_field(text, "Action", found.action, sizeof found.action);
    take_field(text, "Status", found.status, sizeof found.status);
    take_recipient(message, found.recipient, sizeof found.recipient);
    for (char *c = found.action; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    g_byte_array_free(bytes, true);
    if (!is_action(found.action))
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                         "the delivery notice names no action of RFC 3464");
    *report = found;
    return STATUS_OK;
}

enum status mail_parse_report(struct slice message, struct mail_report *report, struct error *error)
{
    mail_gmime_start();
    GMimeStream *stream =
        g_mime_stream_mem_new_with_buffer((const char *)message.data, message.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *parsed = g_mime_parser_construct_message(parser, NULL);
    enum status status = read_report(parsed, report, error);
    if (parsed != NULL)
        g_object_unref(parsed);
    g_object_unref(parser);
    g_object_unref(stream);
    return status;
}
