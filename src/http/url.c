/* Which URLs are asked; see http.h. What is in doubt is refused, since libcurl has the last word on
 * what a URL means. */
#include "http/http.h"

#include <stdio.h>
#include <string.h>

static bool is_this_machine(const char *host, size_t len)
{
    return (len == 9 && memcmp(host, "localhost", 9) == 0) ||
           (len == 5 && memcmp(host, "[::1]", 5) == 0) ||
           (len > 4 && memcmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= len);
}

bool http_url_is_safe(const char *url)
{
    bool http = strncmp(url, "http://", 7) == 0;
    if (!http && strncmp(url, "https://", 8) != 0)
        return false;
    const char *host = url + (http ? 7 : 8);
    size_t authority = strcspn(host, "/?#"), len = host[0] == '[' ? strcspn(host, "]") + 1 : 0;
    if (len == 0)
        len = strcspn(host, ":/?#");
    for (const char *c = url; *c != '\0'; c++)
        if (*c <= ' ' || *c == 0x7F || *c == '\\')
            return false;
    if (len == 0 || len > authority || memchr(host, '@', authority) != NULL ||
        strlen(url) > HTTP_LINE_BYTES)
        return false;
    if (host[len] == ':' && strspn(host + len + 1, "0123456789") != authority - len - 1)
        return false;
    if (host[len] != ':' && len != authority)
        return false;
    return !http || is_this_machine(host, len);
}
