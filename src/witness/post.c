/* See post.h. */
#include "witness/post.h"

#include <pthread.h>
#include <stdio.h>

#include <curl/curl.h>

#include "base/check.h"

enum { CONNECT_TIMEOUT_MS = 5000, TIMEOUT_MS = 30000 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

/* Taking less than it gets makes libcurl end the transfer. */
static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    buffer_append(body, bytes, size * count);
    return body->overflowed ? 0 : size * count;
}

static bool set_up(CURL *curl, const char *url, const char *ca, struct slice body,
                   struct curl_slist *headers, struct post_answer *answer)
{
    return headers != NULL && curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           (ca == NULL || curl_easy_setopt(curl, CURLOPT_CAINFO, ca) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.len) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.data) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body) == CURLE_OK;
}

static enum status judge(CURL *curl, CURLcode done, struct post_answer *answer, struct error *error)
{
    const char *type = NULL;
    if (answer->body.overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "its answer is longer than %d bytes",
                         POST_ANSWER_BYTES);
    if (done != CURLE_OK)
        return error_set(error, STATUS_IO, "08001", "Is the url right, and is it running?", "%s",
                         curl_easy_strerror(done));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->code);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    snprintf(answer->type, sizeof answer->type, "%s", type == NULL ? "" : type);
    return STATUS_OK;
}

enum status post_send(const char *url, const char *ca, struct slice body,
                      struct post_answer *answer, struct error *error)
{
    pthread_once(&once, start_library);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    enum status status;
    if (curl == NULL || !set_up(curl, url, ca, body, headers, answer))
        status = error_set(error, STATUS_INVALID, "F0000", NULL, "the url cannot be used");
    else
        status = judge(curl, curl_easy_perform(curl), answer, error);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}
