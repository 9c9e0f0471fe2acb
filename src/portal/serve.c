/* The serving thread: from a request to a page. Paths are compared with the few that there are and
 * never become names of files. What a question holds is read by the answering thread.
 * Nothing is logged of a request. */
#include "portal/service.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "portal/language.h"

enum {
    CONNECTIONS_MOST = 500,
    CONNECTIONS_MOST_AN_ADDRESS = 50,
    CONNECTION_BYTES = 16 * 1024, /* request line and headers */
    ADDRESS_ROOM = 64,
};

/* What a path stands for. */
enum target { TO_LANGUAGE /* a redirect */, TO_STYLE, TO_PAGE };
struct route {
    enum target target;
    size_t brand, language;
    enum page page;
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* What is behind "/" or "/en/". */
static enum page find_page(const char *rest)
{
    if (rest[0] == '\0')
        return PAGE_INDEX;
    if (strcmp(rest, "genuine") == 0)
        return PAGE_GENUINE;
    return strcmp(rest, "affected") == 0 ? PAGE_AFFECTED : PAGE_MISSING;
}

static struct route find_route(const struct site *site, struct MHD_Connection *connection,
                               const char *path)
{
    const char *languages[SITE_LANGUAGES_MOST], *host = header(connection, "Host");
    struct route route = {.target = TO_PAGE, .page = PAGE_MISSING};
    while (route.brand < site->brand_count && !host_is(host, site->brands[route.brand].host))
        route.brand++;
    if (route.brand == site->brand_count)
        route.brand = 0;
    for (size_t i = 0; i < site->language_count; i++)
        languages[i] = site->languages[i];
    route.language =
        language_choose(header(connection, "Accept-Language"), languages, site->language_count);
    if (path[0] != '/')
        return route;
    if (strcmp(path, "/style.css") == 0)
        route.target = TO_STYLE;
    route.page = find_page(path + 1);
    if (route.page != PAGE_MISSING)
        route.target = TO_LANGUAGE;
    for (size_t i = 0; i < site->language_count; i++) {
        size_t len = strlen(languages[i]);
        const char *rest = path + 1 + len;
        if (strncmp(path + 1, languages[i], len) != 0 || (*rest != '\0' && *rest != '/'))
            continue;
        route.language = i;
        route.target = *rest == '\0' ? TO_LANGUAGE : TO_PAGE;
        route.page = *rest == '\0' ? PAGE_INDEX : find_page(rest + 1);
    }
    return route;
}

/* Call with the lock held: the response's count of users is in hand before the site can go. */
static enum MHD_Result send_page(const struct site *site, struct MHD_Connection *connection,
                                 const struct route *route, enum page page, unsigned code)
{
    return MHD_queue_response(connection, code, site->pages[route->brand][route->language][page]);
}

static enum MHD_Result get(const struct site *site, struct MHD_Connection *connection,
                           const struct route *route)
{
    if (route->target == TO_LANGUAGE)
        return MHD_queue_response(connection, MHD_HTTP_SEE_OTHER,
                                  site->redirects[route->language][route->page]);
    if (route->target == TO_STYLE)
        return MHD_queue_response(connection, MHD_HTTP_OK, site->brands[route->brand].style);
    return send_page(site, connection, route, route->page,
                     route->page == PAGE_MISSING ? MHD_HTTP_NOT_FOUND : MHD_HTTP_OK);
}

/* ---- who asks ---- */

static bool parse_address(const char *text, size_t len, struct in6_addr *address)
{
    char copy[ADDRESS_ROOM];
    struct in_addr v4;
    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET6, copy, address) == 1)
        return true;
    if (inet_pton(AF_INET, copy, &v4) != 1)
        return false;
    *address = (struct in6_addr)IN6ADDR_ANY_INIT;
    address->s6_addr[10] = address->s6_addr[11] = 0xff;
    memcpy(address->s6_addr + 12, &v4, sizeof v4);
    return true;
}

static enum MHD_Result take_list(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    if (strcasecmp(name, "X-Forwarded-For") == 0)
        *(const char **)context = value;
    return MHD_YES;
}

/* The last address of the last X-Forwarded-For is the one that our proxy wrote itself: some proxies
 * add to the header that a client sent, others add one of their own behind it. */
static void forwarded_for(struct MHD_Connection *connection, struct in6_addr *address)
{
    const char *list = NULL;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_list, &list);
    if (list == NULL)
        return;
    const char *comma = strrchr(list, ','), *last = comma == NULL ? list : comma + 1;
    last += strspn(last, " \t");
    struct in6_addr named;
    if (parse_address(last, strcspn(last, " \t"), &named))
        *address = named;
}

static void asker(const struct service *service, struct MHD_Connection *connection,
                  struct in6_addr *address)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *address = (struct in6_addr)IN6ADDR_ANY_INIT;
    if (info == NULL || info->client_addr == NULL)
        return;
    if (info->client_addr->sa_family == AF_INET6) {
        memcpy(address, &((const struct sockaddr_in6 *)info->client_addr)->sin6_addr,
               sizeof *address);
    } else {
        address->s6_addr[10] = address->s6_addr[11] = 0xff;
        memcpy(address->s6_addr + 12, &((const struct sockaddr_in *)info->client_addr)->sin_addr,
               4);
    }
    if (service->has_proxy && memcmp(address, &service->proxy, sizeof *address) == 0)
        forwarded_for(connection, address);
}

/* ---- requests ---- */

static bool is_form(struct MHD_Connection *connection)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = header(connection, "Content-Type");
    return type != NULL && strncasecmp(type, form, sizeof form - 1) == 0 &&
           (type[sizeof form - 1] == '\0' || type[sizeof form - 1] == ';');
}

static bool is_announced_too_long(struct MHD_Connection *connection)
{
    const char *length = header(connection, "Content-Length");
    return length != NULL && strtoull(length, NULL, 10) > FORM_BYTES_MOST;
}

static enum MHD_Result count_length(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    *(unsigned *)context +=
        strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0;
    return MHD_YES;
}

/* RFC 9112, 6.3: where two headers tell a body's length, a proxy before us may believe the other
 * one, and take somebody else's request for a part of this one. */
static bool is_ambiguous(struct MHD_Connection *connection)
{
    unsigned count = 0;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_length, &count);
    return count > 1;
}

/* The answer is there, and leaves. */
static enum MHD_Result send_answer(struct service *service, struct ask *ask)
{
    pthread_mutex_lock(&service->lock);
    enum MHD_Result result = MHD_queue_response(ask->connection, ask->code, ask->answer);
    service->unsent--;
    pthread_mutex_unlock(&service->lock);
    ask->is_answered = false;
    return result;
}

static enum MHD_Result take_question(struct service *service, struct ask *ask,
                                     const struct route *route, const struct site *site,
                                     bool *is_allowed)
{
    struct in6_addr address;
    asker(service, ask->connection, &address);
    ask->kind = route->page == PAGE_GENUINE ? ASK_GENUINE : ASK_AFFECTED;
    *is_allowed = allowance_take(service->allowances[ask->kind], &address, clock_monotonic_ns());
    if (!*is_allowed)
        return send_page(site, ask->connection, route, PAGE_BUSY, MHD_HTTP_TOO_MANY_REQUESTS);
    memcpy(ask->brand, site->brands[route->brand].name, sizeof ask->brand);
    memcpy(ask->language, site->languages[route->language], sizeof ask->language);
    return MHD_YES;
}

/* A request is whole. */
static enum MHD_Result respond(struct service *service, struct ask *ask, const char *path,
                               const char *method)
{
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0, is_asked = false;
    bool is_post = strcmp(method, "POST") == 0;
    pthread_mutex_lock(&service->lock);
    const struct site *site = service->site;
    struct route route = find_route(site, ask->connection, path);
    bool has_form =
        route.target == TO_PAGE && (route.page == PAGE_GENUINE || route.page == PAGE_AFFECTED);
    enum MHD_Result result;
    if (is_get)
        result = get(site, ask->connection, &route);
    else if (is_post && has_form && is_form(ask->connection))
        result = take_question(service, ask, &route, site, &is_asked);
    else
        result = send_page(site, ask->connection, &route, PAGE_REFUSED,
                           is_post && has_form ? MHD_HTTP_UNSUPPORTED_MEDIA_TYPE
                                               : MHD_HTTP_METHOD_NOT_ALLOWED);
    pthread_mutex_unlock(&service->lock);
    if (is_asked && result == MHD_YES)
        result = service_ask(service, ask) ? MHD_YES : MHD_NO;
    return result;
}

/* The first call for a request; one that is refused here has no body read, and its connection
 * ends. */
static enum MHD_Result begin(struct service *service, struct MHD_Connection *connection,
                             const char *path, void **request)
{
    bool is_too_long = is_announced_too_long(connection);
    if (is_too_long || is_ambiguous(connection)) {
        pthread_mutex_lock(&service->lock);
        struct route route = find_route(service->site, connection, path);
        enum MHD_Result result =
            send_page(service->site, connection, &route, PAGE_REFUSED,
                      is_too_long ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_BAD_REQUEST);
        pthread_mutex_unlock(&service->lock);
        return result;
    }
    struct ask *ask = calloc(1, sizeof *ask);
    if (ask == NULL)
        return MHD_NO;
    ask->connection = connection;
    *request = ask;
    return MHD_YES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **request)
{
    struct service *service = context;
    struct ask *ask = *request;
    if (ask == NULL)
        return begin(service, connection, path, request);
    if (*upload_len > 0) {
        if (*upload_len > sizeof ask->body - ask->body_len)
            return MHD_NO; /* chunks that never said how long they would be: hang up */
        memcpy(ask->body + ask->body_len, upload, *upload_len);
        ask->body_len += *upload_len;
        *upload_len = 0;
        return MHD_YES;
    }
    return ask->is_answered ? send_answer(service, ask) : respond(service, ask, path, method);
}

static void end_request(void *context, struct MHD_Connection *connection, void **request,
                        enum MHD_RequestTerminationCode why)
{
    struct service *service = context;
    struct ask *ask = *request;
    web_request_done(service->web, connection);
    if (ask == NULL)
        return;
    if (ask->is_answered) { /* hung up while the answer was made */
        pthread_mutex_lock(&service->lock);
        service->unsent--;
        pthread_mutex_unlock(&service->lock);
    }
    crypto_wipe(ask, sizeof *ask);
    free(ask);
    *request = NULL;
}

enum status serve_start(struct service *service, struct error *error)
{
    const struct web_daemon wanted = {.flags = MHD_ALLOW_SUSPEND_RESUME,
                                      .connections_most = CONNECTIONS_MOST,
                                      .connections_most_an_address =
                                          service->has_proxy ? CONNECTIONS_MOST
                                                             : CONNECTIONS_MOST_AN_ADDRESS,
                                      .idle_s_most = 10,
                                      .connection_bytes = CONNECTION_BYTES,
                                      .handle = handle,
                                      .completed = end_request,
                                      .context = service};
    return web_start_daemon(service->web, &wanted, &service->daemon, error);
}
