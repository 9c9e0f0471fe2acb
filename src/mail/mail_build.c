/* Building a message with GMime: text/plain, or multipart/alternative with the text first.
 * Invariant: what is written depends on the input alone (the boundary comes from the Message-ID),
 * and no field can smuggle in a line. Any thread, once GMime is up. */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <gmime/gmime.h>

#include "crypto/crypto.h"
#include "mail/private.h"

enum { ADDRESS_BYTES = 254, LOCAL_PART_BYTES = 64, FIELD_BYTES = 900 };

static void start_gmime(void)
{
    g_mime_init();
}

void mail_gmime_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_gmime);
}

static bool is_atom(unsigned char c)
{
    return isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL; /* RFC 5322 3.2.3 */
}

/* Atoms with single dots between them. */
static bool is_dotted(const char *text, size_t len, bool is_domain)
{
    bool after_dot = true;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\0' || (c == '.' && after_dot))
            return false;
        if (c != '.' && !(is_domain ? isalnum(c) || c == '-' : is_atom(c)))
            return false;
        after_dot = c == '.';
    }
    return !after_dot;
}

bool mail_address_usable(const char *address)
{
    if (address == NULL || strlen(address) > ADDRESS_BYTES)
        return false;
    const char *at = strchr(address, '@');
    if (at == NULL || at - address > LOCAL_PART_BYTES)
        return false;
    const char *domain = at + 1;
    if (!is_dotted(address, (size_t)(at - address), false) ||
        !is_dotted(domain, strlen(domain), true))
        return false;
    return strchr(domain, '.') != NULL || strcmp(domain, "localhost") == 0;
}

static enum status check_line(const char *value, const char *field, struct error *error)
{
    if (!g_utf8_validate(value, -1, NULL) || strlen(value) > FIELD_BYTES)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "a message's %s is no UTF-8 text of at most %d bytes", field, FIELD_BYTES);
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++)
        if (*c < ' ' || *c == 0x7f)
            return error_set(error, STATUS_INVALID, "22023", NULL,
                             "a message's %s holds a control character", field);
    return STATUS_OK;
}

static enum status check_message(const struct mail_message *message, struct error *error)
{
    const struct {
        const char *value, *field;
        bool is_address, may_lack;
    } fields[] = {
        {message->from_name, "sender's name", false, true},
        {message->from_address, "sender", true, false},
        {message->to_name, "recipient's name", false, true},
        {message->to_address, "recipient", true, false},
        {message->reply_to, "reply address", true, true},
        {message->subject, "subject", false, false},
        {message->language, "language", false, false},
        {message->message_id, "Message-ID", true, false},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].value == NULL && fields[i].may_lack)
            continue;
        if (fields[i].value == NULL)
            return error_set(error, STATUS_INVALID, "22023", NULL, "a message has no %s",
                             fields[i].field);
        TRY(check_line(fields[i].value, fields[i].field, error));
        if (fields[i].is_address && !mail_address_usable(fields[i].value))
            return error_set(error, STATUS_INVALID, "22023", NULL,
                             "a message's %s is not an address", fields[i].field);
    }
    if (message->text == NULL || !g_utf8_validate(message->text, -1, NULL) ||
        (message->html != NULL && !g_utf8_validate(message->html, -1, NULL)))
        return error_set(error, STATUS_INVALID, "22023", NULL, "a message's text is not UTF-8");
    return STATUS_OK;
}

/* A part with its text in quoted-printable; lines end in CRLF. */
static GMimeObject *make_part(const char *text, const char *subtype)
{
    GByteArray *bytes = g_byte_array_new();
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\r')
            continue;
        if (*c == '\n')
            g_byte_array_append(bytes, (const guint8 *)"\r\n", 2);
        else
            g_byte_array_append(bytes, (const guint8 *)c, 1);
    }
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes); /* takes the bytes */
    GMimeDataWrapper *content =
        g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    GMimePart *part = g_mime_part_new_with_type("text", subtype);
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
    g_mime_part_set_content(part, content);
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    g_object_unref(content);
    g_object_unref(stream);
    return GMIME_OBJECT(part);
}

static GMimeObject *make_body(const struct mail_message *message)
{
    GMimeObject *text = make_part(message->text, "plain");
    if (message->html == NULL)
        return text;
    GMimeMultipart *both = g_mime_multipart_new_with_subtype("alternative");
    struct slice id = slice_of_text(message->message_id);
    uint8_t digest[CRYPTO_SHA256_BYTES];
    char boundary[2 * sizeof digest + 1];
    crypto_sha256(&id, 1, digest);
    crypto_hex(digest, sizeof digest, boundary);
    boundary[32] = '\0';
    g_mime_multipart_set_boundary(both, boundary);
    GMimeObject *html = make_part(message->html, "html");
    g_mime_multipart_add(both, text);
    g_mime_multipart_add(both, html);
    g_object_unref(text);
    g_object_unref(html);
    return GMIME_OBJECT(both);
}

static void add_address(GMimeMessage *made, GMimeAddressType type, const char *name,
                        const char *address)
{
    const char *shown = name != NULL && name[0] != '\0' ? name : NULL;
    InternetAddress *mailbox = internet_address_mailbox_new(shown, address);
    internet_address_set_charset(mailbox, "utf-8");
    internet_address_list_add(g_mime_message_get_addresses(made, type), mailbox);
    g_object_unref(mailbox);
}

static GMimeMessage *make_message(const struct mail_message *message)
{
    GMimeMessage *made = g_mime_message_new(false);
    add_address(made, GMIME_ADDRESS_TYPE_FROM, message->from_name, message->from_address);
    add_address(made, GMIME_ADDRESS_TYPE_TO, message->to_name, message->to_address);
    if (message->reply_to != NULL)
        add_address(made, GMIME_ADDRESS_TYPE_REPLY_TO, NULL, message->reply_to);
    g_mime_message_set_subject(made, message->subject, "utf-8");
    GDateTime *date = g_date_time_new_from_unix_utc(message->date_ns / 1000000000);
    g_mime_message_set_date(made, date);
    g_date_time_unref(date);
    g_mime_message_set_message_id(made, message->message_id);
    GMimeObject *object = GMIME_OBJECT(made);
    g_mime_object_set_header(object, "MIME-Version", "1.0", NULL);
    g_mime_object_set_header(object, "Content-Language", message->language, NULL);
    g_mime_object_set_header(object, "Auto-Submitted", "auto-generated", NULL);
    GMimeObject *body = make_body(message);
    g_mime_message_set_mime_part(made, body);
    g_object_unref(body);
    return made;
}

enum status mail_build(const struct mail_message *message, struct buffer *out, struct error *error)
{
    TRY(check_message(message, error));
    mail_gmime_start();
    GMimeMessage *made = make_message(message);
    GMimeFormatOptions *options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    GMimeStream *stream = g_mime_stream_mem_new();
    ssize_t written = g_mime_object_write_to_stream(GMIME_OBJECT(made), options, stream);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    if (written >= 0)
        buffer_append(out, bytes->data, bytes->len);
    g_object_unref(stream);
    g_mime_format_options_free(options);
    g_object_unref(made);
    if (written < 0 || out->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "a message does not fit its buffer");
    return STATUS_OK;
}
