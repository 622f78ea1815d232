#pragma once

#include "support/crowd.h"
#include "support/process.h"
#include "support/snmpd.h"

namespace tcpmibd::bench {

// The floor of any subagent: RFC 2741 written by hand, in a process of its own. It serves the state
// column of tcpConnectionTable for a crowd, from rows that were encoded before the first question.
//
// It knows Get and GetNext, which is all that snmpd asks of a subagent that nobody writes to. One
// read and one write a request; a question that follows the last answer is found without a search.
class MinimalResponder {
 public:
  // Registered with `master` on return, before whatever is built into it.
  MinimalResponder(const lab::Snmpd& master, const lab::Crowd& crowd);

  const lab::Process& process() const { return holder_.process(); }

 private:
  lab::Holder holder_;
};

}  // namespace tcpmibd::bench
