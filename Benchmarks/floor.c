/* The floor: connect to many hosts at once, check the host key, log in, run one command, read its status.
 *
 * usage: floor PORT USER KEYFILE SHA256-OF-HOST-KEY-IN-HEX COMMAND < addresses
 *
 * As little as libssh2 and epoll can do it with, one thread, everything at once. Exits 0 if all commands did.
 *
 * Built with READ_KEY_ONCE it hands libssh2 signatures instead of the key's text, as SSHClient does; libssh2 otherwise reads
 * the text anew for each login, which with OpenSSL 3 is more than half of what a login costs. Only for an unencrypted
 * Ed25519 key in OpenSSH's form.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libssh2.h>
#include <netinet/tcp.h>
#ifdef READ_KEY_ONCE
#include <openssl/evp.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum stage { CONNECT, HANDSHAKE, LOGIN, OPEN, EXEC, READ, CLOSE, WAIT, DONE };

struct host {
    int descriptor;
    enum stage stage;
    LIBSSH2_SESSION *session;
    LIBSSH2_CHANNEL *channel;
    int status;
};

static const char *user, *command;
static char key[16384];
static size_t key_length;
static unsigned char expected[32];

static void check(int condition, const char *what) {
    if (!condition) {
        perror(what);
        exit(2);
    }
}

#ifdef READ_KEY_ONCE
enum { BLOB = 51, HEADER = 15 + 7 * 4 };
static EVP_PKEY *pair;
static unsigned char blob[BLOB];

static int sign(LIBSSH2_SESSION *session, unsigned char **signature, size_t *length, const unsigned char *data, size_t count,
                void **context) {
    (void)session, (void)context;
    EVP_MD_CTX *work = EVP_MD_CTX_new();
    *length = 64;
    *signature = malloc(*length);
    int done = EVP_DigestSignInit(work, NULL, NULL, NULL, pair) == 1
               && EVP_DigestSign(work, *signature, length, data, count) == 1;
    EVP_MD_CTX_free(work);
    return done ? 0 : -1;
}

/* OpenSSH's PROTOCOL.key: a header, the public key, then two check numbers, type, public key and secret. */
static void read_key(void) {
    unsigned char text[16384], bytes[16384];
    size_t length = 0;
    char *start = strchr(key, '\n');
    check(start != NULL, "key");
    for (char *next = start; *next && *next != '-'; next++)
        if (*next != '\n') text[length++] = *next;
    check(EVP_DecodeBlock(bytes, text, length) > HEADER + BLOB + 4 + 8 + 15 + 36 + 36, "key");
    check(memcmp(bytes, "openssh-key-v1\0\0\0\0\4none", 23) == 0, "key");
    memcpy(blob, bytes + HEADER, BLOB);
    pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes + HEADER + BLOB + 4 + 8 + 15 + 36 + 4, 32);
    check(pair != NULL, "key");
}
#endif

/* One call; 0 on success, LIBSSH2_ERROR_EAGAIN to wait, anything else is a failure. */
static int step(struct host *host) {
    char buffer[32768];
    int error = 0;
    socklen_t size = sizeof error;
    switch (host->stage) {
    case CONNECT:
        getsockopt(host->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) return -1;
        host->session = libssh2_session_init();
        libssh2_session_set_blocking(host->session, 0);
        return 0;
    case HANDSHAKE:
        error = libssh2_session_handshake(host->session, host->descriptor);
        if (error) return error;
        return memcmp(libssh2_hostkey_hash(host->session, LIBSSH2_HOSTKEY_HASH_SHA256), expected, 32) ? -1 : 0;
    case LOGIN:
#ifdef READ_KEY_ONCE
        return libssh2_userauth_publickey(host->session, user, blob, BLOB, sign, NULL);
#else
        return libssh2_userauth_publickey_frommemory(
            host->session, user, strlen(user), NULL, 0, key, key_length, NULL);
#endif
    case OPEN:
        host->channel = libssh2_channel_open_session(host->session);
        return host->channel ? 0 : libssh2_session_last_errno(host->session);
    case EXEC:
        return libssh2_channel_exec(host->channel, command);
    case READ:
        for (;;) {
            ssize_t count = libssh2_channel_read(host->channel, buffer, sizeof buffer);
            if (count < 0 && count != LIBSSH2_ERROR_EAGAIN) return (int)count;
            if (libssh2_channel_eof(host->channel)) return 0;
            if (count <= 0) return LIBSSH2_ERROR_EAGAIN;
        }
    case CLOSE:
        return libssh2_channel_close(host->channel);
    case WAIT:
        error = libssh2_channel_wait_closed(host->channel);
        if (!error) host->status = libssh2_channel_get_exit_status(host->channel);
        return error;
    case DONE:
        break;
    }
    return LIBSSH2_ERROR_EAGAIN;
}

int main(int count, char **words) {
    if (count != 6) return 2;
    int port = atoi(words[1]);
    user = words[2];
    command = words[5];
    FILE *file = fopen(words[3], "r");
    check(file != NULL, words[3]);
    key_length = fread(key, 1, sizeof key - 1, file);
    fclose(file);
#ifdef READ_KEY_ONCE
    read_key();
#endif
    for (int i = 0; i < 32; i++) check(sscanf(words[4] + 2 * i, "%2hhx", &expected[i]) == 1, "host key");
    check(libssh2_init(0) == 0, "libssh2_init");

    int poll = epoll_create1(0);
    check(poll >= 0, "epoll_create1");
    static struct host hosts[10000];
    int open = 0, failed = 0;
    char address[64];
    for (int i = 0; i < 10000 && scanf("%63s", address) == 1; i++, open++) {
        struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(port)};
        check(inet_pton(AF_INET, address, &target.sin_addr) == 1, address);
        hosts[i].descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        check(hosts[i].descriptor >= 0, "socket");
        int one = 1;
        setsockopt(hosts[i].descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        int answer = connect(hosts[i].descriptor, (struct sockaddr *)&target, sizeof target);
        check(answer == 0 || errno == EINPROGRESS, "connect");
        struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = &hosts[i]};
        check(epoll_ctl(poll, EPOLL_CTL_ADD, hosts[i].descriptor, &interest) == 0, "epoll_ctl");
    }
    while (open > 0) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 60000);
        if (ready < 0 && errno == EINTR) continue;
        check(ready > 0, "epoll_wait");
        for (int i = 0; i < ready; i++) {
            struct host *host = events[i].data.ptr;
            int answer = 0;
            while (host->stage != DONE && (answer = step(host)) == 0) host->stage++;
            int ends = host->stage == DONE ? host->descriptor >= 0 : answer != LIBSSH2_ERROR_EAGAIN;
            if (!ends) continue;
            if (host->stage != DONE || host->status != 0) {
                failed++;
                fprintf(stderr, "stage %d: answer %d, status %d\n", host->stage, answer, host->status);
            }
            host->stage = DONE;
            if (host->channel) libssh2_channel_free(host->channel);
            close(host->descriptor);
            host->descriptor = -1;
            if (host->session) libssh2_session_free(host->session);
            open--;
        }
    }
    return failed ? 1 : 0;
}
