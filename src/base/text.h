/* Text: what strangers typed, judged before anybody believes it. */
#ifndef COFFERDAM_BASE_TEXT_H
#define COFFERDAM_BASE_TEXT_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/buffer.h"

/* Is it UTF-8 (RFC 3629) on one line, without control characters? */
bool text_is_plain(struct slice text);

/* How many of its first bytes are UTF-8; text.len if all are. */
size_t text_utf8_len(struct slice text);

/* Makes it plain: what is not becomes blanks. */
void text_make_plain(char *text);

/* As people write it: an IPv4 address without the ::ffff: that sockets of both kinds put before it.
 */
void text_of_address(const struct in6_addr *address, char text[static INET6_ADDRSTRLEN]);
/* Reads an address of either kind, IPv4 as ::ffff:a.b.c.d. */
bool text_to_address(const char *text, struct in6_addr *address);

#endif
