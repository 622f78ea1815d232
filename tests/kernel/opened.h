#pragma once

#include <memory>
#include <utility>

#include "kernel/sock_diag.h"
#include "support/netns.h"
#include "support/trouble.h"
#include "tcp/snapshot.h"

namespace tcpmibd::kernel {

// The sockets of `space`. Throws Trouble where they cannot be opened.
inline std::unique_ptr<SockDiag> opened_in(const lab::Namespace& space) {
  Result<std::unique_ptr<SockDiag>> source = space.run([] { return SockDiag::open(); });
  if (!source)
    throw lab::Trouble(source.error().text());
  return std::move(*source);
}

// All sockets of `source`, in `forms`. Throws Trouble where they cannot be read.
inline tcp::Snapshot dump(SockDiag& source, const tcp::AddressForms& forms = {}) {
  tcp::SnapshotBuilder builder(forms);
  if (const Status status = source.read_all(builder); !status)
    throw lab::Trouble(status.error().text());
  return builder.finish();
}

// The counts alone; as above.
inline tcp::Snapshot counts(SockDiag& source) {
  tcp::SnapshotBuilder builder({});
  if (const Status status = source.read_counts(builder); !status)
    throw lab::Trouble(status.error().text());
  return builder.finish();
}

}  // namespace tcpmibd::kernel
