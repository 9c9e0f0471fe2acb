/* Which of our languages a browser would like best, and which brand a host name stands for. */
#ifndef COFFERDAM_PORTAL_LANGUAGE_H
#define COFFERDAM_PORTAL_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Index of the language that an Accept-Language header (RFC 9110, 12.5.4; may be NULL) prefers; a
 * range matches by its primary subtag. 0 where none is acceptable: the first is the default. */
size_t language_choose(const char *header, const char *const *languages, size_t count);
/* Does a Host header (RFC 9110, 7.2; may be NULL) name this host, whatever its port and case? */
bool host_is(const char *header, const char *host);

#endif
