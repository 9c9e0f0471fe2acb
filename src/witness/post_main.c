/* cofferdam-post: one POST over libcurl; TLS verified, no redirects, bounded in time and size. See
 * post.h for how it is called. A program of its own because libcurl brings forty libraries that a
 * process which guards the data, or signs the log, has no use for.
 * Invariant: before the first byte from outside it has lost all files but those that a client of
 * HTTPS reads: names, certificates, libraries. */
#include "witness/post.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/confine.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 30000,
    BODY_BYTES = 4 * 1024 * 1024,
};

/* Taking less than it gets makes libcurl end the transfer. */
static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    buffer_append(body, bytes, size * count);
    return body->overflowed ? 0 : size * count;
}

static bool set_up(CURL *curl, const char *url, const char *ca, struct slice body,
                   struct curl_slist *headers, struct buffer *answer)
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
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer) == CURLE_OK;
}

static enum post_exit tell(CURL *curl, CURLcode done, const struct buffer *answer)
{
    long code = 0;
    const char *type = NULL;
    if (answer->overflowed)
        return POST_TOO_LONG;
    if (done != CURLE_OK) {
        printf("%s", curl_easy_strerror(done));
        return POST_FAILED;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    printf("%03ld %.*s\n", code, POST_TYPE_ROOM - 1, type == NULL ? "" : type);
    fwrite(answer->data, 1, answer->len, stdout);
    return POST_ANSWERED;
}

static enum post_exit post(const char *url, const char *ca, struct slice body)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    struct buffer answer;
    enum post_exit ends = POST_FAILED;
    buffer_init(&answer, POST_ANSWER_BYTES);
    if (curl != NULL && set_up(curl, url, ca, body, headers, &answer))
        ends = tell(curl, curl_easy_perform(curl), &answer);
    else
        printf("the url cannot be used");
    buffer_free(&answer);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return ends;
}

static bool read_body(struct buffer *body)
{
    uint8_t bytes[4096];
    ssize_t len;
    while ((len = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
        buffer_append(body, bytes, (size_t)len);
    return len == 0 && !body->overflowed;
}

int main(int count, char **arguments)
{
    const char *ca = count == 3 ? arguments[2] : NULL;
    const char *const readable[] = {"/etc/ssl",
                                    "/etc/ca-certificates",
                                    "/etc/gnutls",
                                    "/etc/hosts",
                                    "/etc/resolv.conf",
                                    "/etc/nsswitch.conf",
                                    "/etc/host.conf",
                                    "/etc/gai.conf",
                                    "/etc/services",
                                    "/etc/ld.so.cache",
                                    "/usr",
                                    "/lib",
                                    "/lib64",
                                    "/run/systemd/resolve",
                                    "/dev/urandom",
                                    ca,
                                    NULL};
    struct buffer body;
    struct error error = {0};
    bool has_landlock;
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: cofferdam-post URL [CA]   with the body on standard input\n");
        return 2;
    }
    if (confine_reading(readable, &has_landlock, &error) != STATUS_OK) {
        printf("%s", error.message);
        return POST_FAILED;
    }
    buffer_init(&body, BODY_BYTES);
    if (!read_body(&body)) {
        printf("the request cannot be read");
        return POST_FAILED;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    enum post_exit ends = post(arguments[1], ca, buffer_slice(&body));
    buffer_free(&body);
    return fflush(stdout) == 0 ? (int)ends : POST_FAILED;
}
