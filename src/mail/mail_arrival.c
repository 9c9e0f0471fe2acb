/* Reading where mail has come to, with GMime: the header alone, which is cut off first. Whoever
 * sends mail writes most of it: all lists are bounded, and what is odd is left out. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "crypto/crypto.h"
#include "mail/private.h"

enum { GROUPS_DEEP = 4 };

/* What stands before the first empty line (RFC 5322 2.1). */
static struct slice header_of(struct slice message)
{
    const uint8_t *end = message.data + message.len;
    for (const uint8_t *at = message.data; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            break;
        if (end - at > 1 && (at[1] == '\n' || (end - at > 2 && at[1] == '\r' && at[2] == '\n')))
            return slice_of(message.data, (size_t)(at + 1 - message.data));
    }
    return message;
}

/* Adds an address of the domain, in lower case, once. */
static void take_address(struct mail_arrival *arrival, const char *address, const char *domain)
{
    char *place = arrival->recipients[arrival->count];
    const char *at = address != NULL && mail_address_usable(address) ? strrchr(address, '@') : NULL;
    if (at == NULL || strcasecmp(at + 1, domain) != 0)
        return;
    snprintf(place, sizeof arrival->recipients[0], "%s", address);
    for (char *c = place; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < arrival->count; i++)
        if (strcmp(arrival->recipients[i], place) == 0)
            return;
    arrival->count++;
}

static void take_list(struct mail_arrival *arrival, InternetAddressList *list, const char *domain,
                      int depth)
{
    int count = list == NULL ? 0 : internet_address_list_length(list);
    for (int i = 0; i < count && arrival->count < MAIL_RECIPIENTS; i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(address))
            take_address(arrival,
                         internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)),
                         domain);
        else if (INTERNET_ADDRESS_IS_GROUP(address) && depth < GROUPS_DEEP)
            take_list(arrival, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)),
                      domain, depth + 1);
    }
}

/* From all fields of one of these names. */
static void take_fields(struct mail_arrival *arrival, GMimeMessage *message,
                        const char *const *names, const char *domain)
{
    GMimeHeaderList *fields = g_mime_object_get_header_list(GMIME_OBJECT(message));
    for (int i = 0; i < g_mime_header_list_get_count(fields); i++) {
        GMimeHeader *field = g_mime_header_list_get_header_at(fields, i);
        const char *value = g_mime_header_get_raw_value(field);
        bool is_wanted = false;
        for (size_t n = 0; names[n] != NULL; n++)
            is_wanted = is_wanted || strcasecmp(g_mime_header_get_name(field), names[n]) == 0;
        InternetAddressList *list =
            is_wanted && value != NULL ? internet_address_list_parse(NULL, value) : NULL;
        if (list == NULL)
            continue;
        take_list(arrival, list, domain, 0);
        g_object_unref(list);
    }
}

/* Letters, digits, dots and hyphens alone, or nothing. */
static void take_sender(struct mail_arrival *arrival, GMimeMessage *message)
{
    InternetAddressList *from = g_mime_message_get_from(message);
    InternetAddress *first = from == NULL || internet_address_list_length(from) == 0
                                 ? NULL
                                 : internet_address_list_get_address(from, 0);
    if (first == NULL || !INTERNET_ADDRESS_IS_MAILBOX(first))
        return;
    const char *address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first));
    const char *at = address == NULL ? NULL : strrchr(address, '@');
    size_t len = at == NULL ? 0 : strlen(at + 1);
    if (len == 0 || len >= sizeof arrival->sender_domain)
        return;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)at[1 + i];
        if (!isalnum(c) && c != '.' && c != '-') {
            arrival->sender_domain[0] = '\0';
            return;
        }
        arrival->sender_domain[i] = (char)tolower(c);
    }
}

static void hash_id(struct mail_arrival *arrival, GMimeMessage *message)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    const char *id = g_mime_message_get_message_id(message);
    if (id == NULL || id[0] == '\0')
        return;
    const struct slice part = slice_of_text(id);
    crypto_sha256(&part, 1, digest);
    crypto_hex(digest, (sizeof arrival->id_hash - 1) / 2, arrival->id_hash);
}

static enum status read_arrival(GMimeMessage *message, const char *domain,
                                struct mail_arrival *arrival, struct error *error)
{
    static const char *const by_server[] = {"Delivered-To", "X-Original-To", "Envelope-To", NULL};
    static const char *const by_sender[] = {"To", "Cc", "Resent-To", "Resent-Cc", NULL};
    memset(arrival, 0, sizeof *arrival);
    if (message != NULL) {
        take_fields(arrival, message, by_server, domain);
        take_fields(arrival, message, by_sender, domain);
    }
    if (arrival->count == 0)
        return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                         "the mail names no recipient of %.200s", domain);
    take_sender(arrival, message);
    hash_id(arrival, message);
    return STATUS_OK;
}

enum status mail_parse_arrival(struct slice message, const char *domain,
                               struct mail_arrival *arrival, struct error *error)
{
    mail_gmime_start();
    struct slice header = header_of(message);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)header.data, header.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *parsed = g_mime_parser_construct_message(parser, NULL);
    enum status status = read_arrival(parsed, domain, arrival, error);
    if (parsed != NULL)
        g_object_unref(parsed);
    g_object_unref(parser);
    g_object_unref(stream);
    return status;
}
