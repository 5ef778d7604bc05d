#ifndef CSSH2_SHIM_H
#define CSSH2_SHIM_H

#include <libssh2.h>

/* Swift's Glibc module leaves the first two out. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* A GNU extension that the headers hide from Swift. */
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

typedef ssize_t (*cssh2_recv)(libssh2_socket_t, void *, size_t, int, void **);
typedef ssize_t (*cssh2_send)(libssh2_socket_t, const void *, size_t, int, void **);

/* libssh2 takes its callbacks as void *: here the compiler checks their types. */
static inline void cssh2_set_transport(LIBSSH2_SESSION *session, cssh2_recv receive, cssh2_send send) {
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)receive);
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, (void *)send);
}

#endif
