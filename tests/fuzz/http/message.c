/* Fuzz target: what we and the program that speaks HTTP say to each other, a server's header, and
 * URLs. The first byte says which. Nothing of a peer's may end a line, a head or a room. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1024 * 1024 };

/* As much as was read is written again; what comes of it is the same. */
static void run_request(char *bytes, size_t len)
{
    struct message_request made, again;
    struct buffer out;
    struct error error;
    if (message_read_request(bytes, len, &made) != STATUS_OK)
        return;
    buffer_init(&out, ROOM);
    if (message_put_request(&made.request, &out, &error) == STATUS_OK) {
        CHECK(message_read_request((char *)out.data, out.len, &again) == STATUS_OK);
        CHECK(again.request.method == made.request.method);
        CHECK(strcmp(again.request.url, made.request.url) == 0);
        CHECK((again.request.ca == NULL) == (made.request.ca == NULL));
        CHECK(slice_equal(again.request.body, made.request.body));
        for (size_t i = 0; i < HTTP_HEADERS_MAX; i++) {
            CHECK((again.headers[i] == NULL) == (made.headers[i] == NULL));
            CHECK(made.headers[i] == NULL || strcmp(again.headers[i], made.headers[i]) == 0);
        }
    }
    buffer_free(&out);
}

static void run_answer(char *bytes, size_t len)
{
    struct http_answer answer = {0}, again = {0};
    struct buffer out;
    buffer_init(&answer.body, ROOM);
    buffer_init(&again.body, ROOM);
    buffer_init(&out, ROOM);
    if (message_read_answer(bytes, len, &answer) == STATUS_OK) {
        CHECK(answer.code >= 0 && answer.code <= 999 && answer.max_age_s >= -1);
        CHECK(strlen(answer.type) < sizeof answer.type && answer.body.len <= len);
        message_put_answer(answer.code, answer.type, answer.max_age_s, &out);
        CHECK(message_read_answer((char *)out.data, out.len, &again) == STATUS_OK);
        CHECK(again.code == answer.code && again.max_age_s == answer.max_age_s);
        CHECK(again.type[0] == '\0' || strcmp(again.type, answer.type) == 0);
    }
    buffer_free(&out);
    buffer_free(&again.body);
    buffer_free(&answer.body);
}

/* text as a URL, as a Content-Type and as a Cache-Control. */
static void run_texts(const char *text)
{
    struct http_answer answer = {0};
    struct buffer out;
    int64_t age_s = message_max_age(text);
    CHECK(age_s >= -1 && age_s <= INT32_MAX);
    if (http_url_is_safe(text)) {
        CHECK(strlen(text) <= HTTP_LINE_BYTES && strpbrk(text, " \t\r\n\\") == NULL);
        CHECK(strncmp(text, "https://", 8) == 0 || strncmp(text, "http://localhost", 16) == 0 ||
              strncmp(text, "http://127.", 11) == 0 || strncmp(text, "http://[::1]", 12) == 0);
    }
    buffer_init(&out, ROOM);
    buffer_init(&answer.body, ROOM);
    message_put_answer(200, text, age_s, &out);
    CHECK(message_read_answer((char *)out.data, out.len, &answer) == STATUS_OK);
    CHECK(answer.code == 200 && answer.max_age_s == age_s && answer.body.len == 0);
    buffer_free(&answer.body);
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t len = size - 1;
    char *bytes = malloc(len + 1); /* it is cut apart in place; the answer needs no end */
    CHECK(bytes != NULL);
    memcpy(bytes, data + 1, len);
    bytes[len] = '\0';
    if (data[0] % 3 == 0)
        run_request(bytes, len);
    else if (data[0] % 3 == 1)
        run_answer(bytes, len);
    else
        run_texts(bytes);
    free(bytes);
    return 0;
}
