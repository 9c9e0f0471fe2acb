/* See secret.h. Passwords never come from the command line: other users can read that. */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/limits.h"
#include "crypto/crypto.h"

void secret_make(char secret[static SECRET_MADE_ROOM])
{
    uint8_t bytes[SECRET_MADE_BYTES];
    crypto_random(bytes, sizeof bytes);
    crypto_hex(bytes, sizeof bytes, secret);
    crypto_wipe(bytes, sizeof bytes);
}

static enum status judge(struct slice secret, int least, struct error *error)
{
    if (secret.len < (size_t)least)
        return error_set(error, STATUS_INVALID, "28P01", "Or let --generate make one.",
                         "a password has at least %d characters", least);
    for (size_t i = 0; i < secret.len; i++) {
        /* RFC 4013 changes nothing of printable ASCII, so every client derives the same key. */
        if (secret.data[i] < 0x20 || secret.data[i] > 0x7e)
            return error_set(error, STATUS_INVALID, "28P01",
                             "Not all drivers prepare others in the same way (SASLprep).",
                             "a password is of printable ASCII characters");
    }
    return STATUS_OK;
}

enum status secret_judge(struct slice secret, struct error *error)
{
    return judge(secret, SECRET_LEAST, error);
}

static int distinct_characters(struct slice secret)
{
    bool seen[256] = {false};
    int count = 0;
    for (size_t i = 0; i < secret.len; i++) {
        count += !seen[secret.data[i]];
        seen[secret.data[i]] = true;
    }
    return count;
}

/* Has it the login in it, and too little beside? */
static bool leans_on(struct slice secret, const char *login)
{
    size_t len = strlen(login);
    return len > 0 && memmem(secret.data, secret.len, login, len) != NULL &&
           secret.len - len < SECRET_PASSWORD_LEAST;
}

enum status secret_judge_password(struct slice secret, const char *login, struct error *error)
{
    TRY(judge(secret, SECRET_PASSWORD_LEAST, error));
    if (distinct_characters(secret) < SECRET_PASSWORD_DISTINCT)
        return error_set(error, STATUS_INVALID, "28P01", "Or let --generate make one.",
                         "a password has at least %d different characters",
                         SECRET_PASSWORD_DISTINCT);
    if (leans_on(secret, login))
        return error_set(error, STATUS_INVALID, "28P01", "Or let --generate make one.",
                         "the password has little beside the login's own name");
    return STATUS_OK;
}

/* Reads up to the end of the line or of the input, byte by byte: nothing stays in a buffer that
 * is not ours to wipe. */
static enum status read_line(int fd, struct buffer *out, struct error *error)
{
    for (;;) {
        char byte;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read the password");
        if (got == 0 || byte == '\n')
            break;
        buffer_append_u8(out, (uint8_t)byte);
    }
    if (out->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the password is too long");
    return STATUS_OK;
}

static enum status ask(const char *prompt, struct buffer *out, struct error *error)
{
    struct termios shown, hidden;
    fputs(prompt, stderr);
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return error_set_errno(error, errno, "cannot hide the password");
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0)
        return error_set_errno(error, errno, "cannot hide the password");
    enum status status = read_line(STDIN_FILENO, out, error);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return status;
}

static enum status ask_twice(struct buffer *out, struct error *error)
{
    struct buffer again;
    buffer_init(&again, LIMIT_PASSWORD_BYTES);
    buffer_reserve(&again, 256); /* growing would leave copies behind */
    enum status status = ask("Password: ", out, error);
    if (status == STATUS_OK)
        status = ask("Again: ", &again, error);
    if (status == STATUS_OK && !slice_equal(buffer_slice(out), buffer_slice(&again)))
        status = error_set(error, STATUS_INVALID, "28P01", NULL, "the two are not the same");
    if (again.data != NULL)
        crypto_wipe(again.data, again.capacity);
    buffer_free(&again);
    return status;
}

enum status secret_ask(const char *prompt, struct buffer *out, struct error *error)
{
    buffer_reserve(out, 256);
    return ask(prompt, out, error);
}

static enum status read_any(struct buffer *out, struct error *error)
{
    buffer_reserve(out, 256);
    return isatty(STDIN_FILENO) ? ask_twice(out, error) : read_line(STDIN_FILENO, out, error);
}

enum status secret_read(struct buffer *out, struct error *error)
{
    TRY(read_any(out, error));
    return secret_judge(buffer_slice(out), error);
}

enum status secret_read_password(const char *login, struct buffer *out, struct error *error)
{
    TRY(read_any(out, error));
    return secret_judge_password(buffer_slice(out), login, error);
}
