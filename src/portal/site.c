/* Loading of a generation. What is in it was written by us, yet a file that is missing, too large
 * or of another form leaves the site that is served as it is. Main and answering thread, not both
 * at once. */
#include "portal/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <microhttpd.h>

enum {
    FILE_BYTES_MOST = 1024 * 1024,
    ISSUES_MOST = 1024,
    NAME_ROOM = 128,
    LINE_ROOM = 512,
    FORMAT_VERSION = 1,
    WEEK_S = 7 * 24 * 3600,
};

static const char *const page_names[PAGE_COUNT] = {
    "index", "genuine", "unknown", "affected", "taken", "busy", "missing", "refused",
};

static enum status incomplete(struct error *error, const char *what)
{
    return error_set(error, STATUS_CORRUPT, "XX001", "publish the incident again",
                     "what was published is not complete: %s", what);
}

enum status site_current(int folder, char generation[static NAME_MAX + 1], struct error *error)
{
    char target[NAME_MAX + 1];
    ssize_t len = readlinkat(folder, "current", target, sizeof target);
    if (len < 0)
        return error_set(error, STATUS_NOT_FOUND, "58P01",
                         "cofferdam incident publish N --out DIR writes it",
                         "nothing has been published in the folder: %s", strerror(errno));
    if (len == 0 || len == sizeof target || target[0] == '.' || memchr(target, '/', (size_t)len))
        return incomplete(error, "the link to the current generation");
    memcpy(generation, target, (size_t)len);
    generation[len] = '\0';
    return STATUS_OK;
}

static enum status read_all(int fd, struct buffer *out)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > FILE_BYTES_MOST)
        return STATUS_CORRUPT;
    uint8_t *room = buffer_reserve(out, (size_t)about.st_size + 1);
    if (room == NULL)
        return STATUS_NOMEM;
    ssize_t len = read(fd, room, (size_t)about.st_size + 1);
    if (len != about.st_size)
        return STATUS_CORRUPT;
    out->len += (size_t)len;
    return STATUS_OK;
}

static enum status read_file(int generation, const char *name, struct buffer *out,
                             struct error *error)
{
    int fd = openat(generation, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return incomplete(error, name);
    enum status status = read_all(fd, out);
    close(fd);
    return status == STATUS_OK ? status : incomplete(error, name);
}

/* ---- responses ---- */

static void add_headers(struct MHD_Response *response, const char *type, bool secure)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; "
                                    "frame-ancestors 'none'; base-uri 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    MHD_add_response_header(response, "Content-Type", type);
    if (secure) {
        char value[32];
        snprintf(value, sizeof value, "max-age=%d", WEEK_S);
        MHD_add_response_header(response, "Strict-Transport-Security", value);
    }
}

static enum status load_response(int generation, const char *name, const char *type, bool secure,
                                 struct MHD_Response **response, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, FILE_BYTES_MOST + 1);
    enum status status = read_file(generation, name, &bytes, error);
    if (status == STATUS_OK) {
        *response = MHD_create_response_from_buffer(bytes.len, bytes.data, MHD_RESPMEM_MUST_COPY);
        if (*response == NULL)
            status = STATUS_NOMEM;
        else
            add_headers(*response, type, secure);
    }
    buffer_free(&bytes);
    return status;
}

static enum status make_redirect(const char *language, const char *page, bool secure,
                                 struct MHD_Response **response)
{
    char location[NAME_ROOM];
    snprintf(location, sizeof location, "%s/%s", language, page);
    *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (*response == NULL)
        return STATUS_NOMEM;
    add_headers(*response, "text/plain", secure);
    MHD_add_response_header(*response, "Location", location);
    MHD_add_response_header(*response, "Vary", "Accept-Language");
    return STATUS_OK;
}

static void drop(struct MHD_Response *response)
{
    if (response != NULL)
        MHD_destroy_response(response);
}

/* ---- the description ---- */

static enum status read_key(const char *hex, uint8_t key[static 32], struct error *error)
{
    for (size_t i = 0; i < 32; i++) {
        unsigned byte;
        if (strspn(hex + 2 * i, "0123456789abcdef") < 2 || sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return incomplete(error, "a key");
        key[i] = (uint8_t)byte;
    }
    return STATUS_OK;
}

static bool is_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static enum status take_line(struct site *site, const char *line, struct error *error)
{
    char key[65] = "";
    struct site_brand brand = {0};
    char language[sizeof site->languages[0]] = "";
    if (sscanf(line, "queue-key %64s", key) == 1)
        return read_key(key, site->queue_key, error);
    if (sscanf(line, "mark-key %64s", key) == 1)
        return read_key(key, site->mark_key, error);
    if (sscanf(line, "brand %63s %255s", brand.name, brand.host) == 2) {
        if (site->brand_count == SITE_BRANDS_MOST || !is_name(brand.name))
            return incomplete(error, "brands");
        site->brands[site->brand_count++] = brand;
        return STATUS_OK;
    }
    if (sscanf(line, "language %15s", language) != 1 || !is_name(language) ||
        site->language_count == SITE_LANGUAGES_MOST)
        return incomplete(error, "a line of the description");
    memcpy(site->languages[site->language_count++], language, sizeof language);
    return STATUS_OK;
}

static enum status read_description(struct site *site, char *text, struct error *error)
{
    int version = 0;
    char *line = text, *end;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (end - line >= LINE_ROOM)
            return incomplete(error, "a line of the description");
        if (line == text && sscanf(line, "cofferdam-site %d", &version) == 1)
            continue;
        TRY(take_line(site, line, error));
    }
    if (version != FORMAT_VERSION || *line != '\0' || site->brand_count == 0 ||
        site->language_count == 0)
        return incomplete(error, "the description");
    return STATUS_OK;
}

static enum status load_description(int generation, struct site *site, struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, FILE_BYTES_MOST + 1);
    enum status status = read_file(generation, "site", &bytes, error);
    buffer_append_u8(&bytes, '\0');
    if (status == STATUS_OK)
        status =
            bytes.overflowed ? STATUS_NOMEM : read_description(site, (char *)bytes.data, error);
    buffer_free(&bytes);
    return status;
}

/* ---- pages ---- */

static enum status load_issue(int generation, struct site *site, bool secure,
                              const struct mark_record *record, struct error *error)
{
    if (site->issue_count == ISSUES_MOST)
        return incomplete(error, "too many issues");
    struct site_issue *issue = &site->issues[site->issue_count++];
    issue->incident = record->incident;
    issue->issue = record->issue;
    for (size_t b = 0; b < site->brand_count; b++) {
        for (size_t l = 0; l < site->language_count; l++) {
            char name[NAME_ROOM];
            snprintf(name, sizeof name, "%s/%s/issue-%u-%u.html", site->brands[b].name,
                     site->languages[l], record->incident, record->issue);
            TRY(load_response(generation, name, "text/html; charset=utf-8", secure,
                              &issue->pages[b][l], error));
        }
    }
    return STATUS_OK;
}

/* The pages of every issue that a mark names. */
static enum status load_issues(int generation, struct site *site, bool secure, struct error *error)
{
    site->issues = calloc(ISSUES_MOST, sizeof *site->issues);
    if (site->issues == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < site->marks.count; i++) {
        struct mark_record record;
        mark_file_get(&site->marks, i, &record);
        if (site_find_issue(site, record.incident, record.issue) == NULL)
            TRY(load_issue(generation, site, secure, &record, error));
    }
    return STATUS_OK;
}

static enum status load_pages(int generation, struct site *site, bool secure, struct error *error)
{
    char name[NAME_ROOM];
    for (size_t b = 0; b < site->brand_count; b++) {
        snprintf(name, sizeof name, "%s/style.css", site->brands[b].name);
        TRY(load_response(generation, name, "text/css; charset=utf-8", secure,
                          &site->brands[b].style, error));
        for (size_t l = 0; l < site->language_count; l++) {
            for (size_t p = 0; p < PAGE_COUNT; p++) {
                snprintf(name, sizeof name, "%s/%s/%s.html", site->brands[b].name,
                         site->languages[l], page_names[p]);
                TRY(load_response(generation, name, "text/html; charset=utf-8", secure,
                                  &site->pages[b][l][p], error));
            }
        }
    }
    for (size_t l = 0; l < site->language_count; l++) {
        const char *language = site->languages[l];
        struct MHD_Response **redirects = site->redirects[l];
        TRY(make_redirect(language, "", secure, &redirects[PAGE_INDEX]));
        TRY(make_redirect(language, "genuine", secure, &redirects[PAGE_GENUINE]));
        TRY(make_redirect(language, "affected", secure, &redirects[PAGE_AFFECTED]));
    }
    return STATUS_OK;
}

static enum status load_all(int generation, struct site *site, bool secure, struct error *error)
{
    TRY(load_description(generation, site, error));
    TRY(mark_file_open(generation, "marks", &site->marks, error));
    TRY(load_pages(generation, site, secure, error));
    return load_issues(generation, site, secure, error);
}

enum status site_load(int folder, const char *generation, bool secure, struct site **site,
                      struct error *error)
{
    int fd = openat(folder, generation, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return incomplete(error, "the current generation");
    struct site *loaded = calloc(1, sizeof *loaded);
    enum status status = loaded == NULL ? STATUS_NOMEM : STATUS_OK;
    if (status == STATUS_OK) {
        snprintf(loaded->generation, sizeof loaded->generation, "%s", generation);
        status = load_all(fd, loaded, secure, error);
    }
    close(fd);
    if (status == STATUS_OK)
        *site = loaded;
    else
        site_free(loaded);
    return status;
}

void site_free(struct site *site)
{
    if (site == NULL)
        return;
    for (size_t b = 0; b < site->brand_count; b++) {
        drop(site->brands[b].style);
        for (size_t l = 0; l < site->language_count; l++) {
            for (size_t p = 0; p < PAGE_COUNT; p++)
                drop(site->pages[b][l][p]);
            for (size_t i = 0; i < site->issue_count; i++)
                drop(site->issues[i].pages[b][l]);
        }
    }
    for (size_t l = 0; l < site->language_count; l++) {
        for (size_t p = 0; p < PAGE_COUNT; p++)
            drop(site->redirects[l][p]);
    }
    mark_file_close(&site->marks);
    free(site->issues);
    free(site);
}

const struct site_issue *site_find_issue(const struct site *site, uint32_t incident, uint32_t issue)
{
    for (size_t i = 0; i < site->issue_count; i++) {
        if (site->issues[i].incident == incident && site->issues[i].issue == issue)
            return &site->issues[i];
    }
    return NULL;
}
