/* cofferdam-http: one GET or POST over libcurl; TLS verified, no redirects, bounded in time and
 * size. The request stands on standard input, the answer on standard output (message.h). A program
 * of its own because libcurl brings forty libraries that a process which guards the data, or signs
 * the log, has no use for.
 * Invariant: before the first byte from outside it has lost all files but those that a client of
 * HTTPS reads (names, certificates, libraries), and all sockets but those of the Internet: whoever
 * takes it over must not reach the gateway's own socket, or the database's, as the gateway's user.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/confine.h"
#include "http/message.h"

enum { CONNECT_TIMEOUT_MS = 5000 };

/* Taking less than it gets makes libcurl end the transfer. */
static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    buffer_append(body, bytes, size * count);
    return body->overflowed ? 0 : size * count;
}

static bool set_method(CURL *curl, const struct http_request *request)
{
    if (request->method == HTTP_GET)
        return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)request->body.data) == CURLE_OK;
}

static bool set_up(CURL *curl, const struct http_request *request, struct curl_slist *headers,
                   struct buffer *answer)
{
    return curl_easy_setopt(curl, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           (request->ca == NULL ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           set_method(curl, request) &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer) == CURLE_OK;
}

/* Several headers of a name count as one list (RFC 9110, 5.3). */
static int64_t max_age(CURL *curl)
{
    struct curl_header *header;
    struct buffer all;
    buffer_init(&all, HTTP_LINE_BYTES);
    for (size_t i = 0;
         curl_easy_header(curl, "Cache-Control", i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++)
        buffer_printf(&all, "%s,", header->value);
    const char *text = buffer_text(&all);
    int64_t age = text == NULL ? 0 : message_max_age(text);
    buffer_free(&all);
    return age;
}

static enum message_exit tell(CURL *curl, CURLcode done, const struct buffer *answer)
{
    long code = 0;
    const char *type = NULL;
    struct buffer head;
    if (answer->overflowed)
        return MESSAGE_TOO_LONG;
    if (done != CURLE_OK) {
        printf("%s", curl_easy_strerror(done));
        return MESSAGE_FAILED;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    buffer_init(&head, 1024);
    message_put_answer(code, type, max_age(curl), &head);
    fwrite(head.data, 1, head.len, stdout);
    if (answer->len > 0)
        fwrite(answer->data, 1, answer->len, stdout);
    buffer_free(&head);
    return MESSAGE_ANSWERED;
}

static enum message_exit send_request(const struct http_request *request)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:"); /* no 100-continue */
    struct buffer answer;
    enum message_exit ends = MESSAGE_FAILED;
    buffer_init(&answer, HTTP_ANSWER_BYTES);
    bool whole = curl != NULL && headers != NULL;
    for (size_t i = 0; whole && request->headers[i] != NULL; i++)
        whole = curl_slist_append(headers, request->headers[i]) != NULL;
    if (whole && set_up(curl, request, headers, &answer))
        ends = tell(curl, curl_easy_perform(curl), &answer);
    else
        printf("the url cannot be used");
    buffer_free(&answer);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return ends;
}

static bool read_all(struct buffer *bytes)
{
    uint8_t part[4096];
    ssize_t len;
    while ((len = read(STDIN_FILENO, part, sizeof part)) > 0)
        buffer_append(bytes, part, (size_t)len);
    return len == 0 && !bytes->overflowed;
}

static enum status confine(const char *ca, struct error *error)
{
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
    bool has_landlock;
    TRY(confine_reading(readable, &has_landlock, error));
    return confine_client(error);
}

int main(int count, char **arguments)
{
    struct buffer bytes;
    struct message_request made;
    struct error error = {0};
    enum message_exit ends = MESSAGE_FAILED;
    if (count != 1) {
        fprintf(stderr, "%s is a part of cofferdam, which tells it what to ask\n", arguments[0]);
        return 2;
    }
    buffer_init(&bytes, MESSAGE_HEAD_BYTES + HTTP_BODY_BYTES);
    if (!read_all(&bytes) ||
        message_read_request((char *)bytes.data, bytes.len, &made) != STATUS_OK) {
        printf("the request cannot be read");
    } else if (confine(made.request.ca, &error) != STATUS_OK) {
        printf("%s", error.message);
    } else {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        ends = send_request(&made.request);
    }
    buffer_free(&bytes);
    return fflush(stdout) == 0 ? (int)ends : MESSAGE_FAILED;
}
