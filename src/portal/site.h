/* The site: one generation of what was published, loaded whole. Pages stand ready as responses with
 * every header on them; nothing is put together while somebody waits. Immutable once loaded; owned
 * by the caller, who keeps others from using it while it is freed (responses under way live on).
 *
 * The folder has a link "current" to a generation, which has
 *     site                                  lines: "cofferdam-site 1", "queue-key HEX",
 *                                           "mark-key HEX", "brand NAME HOST", "language NAME"
 *     marks                                 crypto/mark_file.h
 *     BRAND/style.css, BRAND/LANGUAGE/PAGE.html, BRAND/LANGUAGE/issue-INCIDENT-ISSUE.html
 * The first brand and the first language are for whoever asks for no other. */
#ifndef COFFERDAM_PORTAL_SITE_H
#define COFFERDAM_PORTAL_SITE_H

#include <limits.h>

#include "base/status.h"
#include "crypto/mark_file.h"
#include "crypto/request_box.h"

struct MHD_Response;

enum page {
    PAGE_INDEX,    /* what happened, what our messages look like */
    PAGE_GENUINE,  /* the form: is this message genuine? */
    PAGE_UNKNOWN,  /* its answer for every reference that we do not vouch for */
    PAGE_AFFECTED, /* the form: was I affected? */
    PAGE_TAKEN,    /* its only answer */
    PAGE_BUSY,     /* too many requests */
    PAGE_MISSING,  /* no such page */
    PAGE_REFUSED,  /* no request that we understand */
    PAGE_COUNT,
};
enum { SITE_BRANDS_MOST = 32, SITE_LANGUAGES_MOST = 8 };

struct site_brand {
    char name[sizeof((struct request *)0)->brand], host[256];
    struct MHD_Response *style;
};
struct site_issue {
    uint32_t incident, issue;
    struct MHD_Response *pages[SITE_BRANDS_MOST][SITE_LANGUAGES_MOST];
};
struct site {
    char generation[NAME_MAX + 1];
    uint8_t queue_key[32], mark_key[32];
    struct mark_file marks;
    struct site_brand brands[SITE_BRANDS_MOST];
    char languages[SITE_LANGUAGES_MOST][sizeof((struct request *)0)->language];
    size_t brand_count, language_count, issue_count;
    struct MHD_Response *pages[SITE_BRANDS_MOST][SITE_LANGUAGES_MOST][PAGE_COUNT];
    /* Redirects from "/", "/genuine" and "/affected"; NULL for the pages that have none. */
    struct MHD_Response *redirects[SITE_LANGUAGES_MOST][PAGE_COUNT];
    struct site_issue *issues;
};

/* Name of the newest generation, without loading it. */
MUST_USE enum status site_current(int folder, char generation[static NAME_MAX + 1],
                                  struct error *error);
/* secure: responses tell browsers to come by TLS only (RFC 6797). */
MUST_USE enum status site_load(int folder, const char *generation, bool secure, struct site **site,
                               struct error *error);
void site_free(struct site *site); /* NULL is fine */
/* The issue's pages; NULL where nothing of it was published. */
const struct site_issue *site_find_issue(const struct site *site, uint32_t incident,
                                         uint32_t issue);

#endif
