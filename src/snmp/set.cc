#include "snmp/set.h"

namespace tcpmibd::snmp {

std::string_view name_of(SetStatus status) {
  switch (status) {
    case SetStatus::kNoError:
      return "noError";
    case SetStatus::kGenErr:
      return "genErr";
    case SetStatus::kWrongType:
      return "wrongType";
    case SetStatus::kWrongValue:
      return "wrongValue";
    case SetStatus::kNoCreation:
      return "noCreation";
    case SetStatus::kInconsistentValue:
      return "inconsistentValue";
    case SetStatus::kResourceUnavailable:
      return "resourceUnavailable";
    case SetStatus::kCommitFailed:
      return "commitFailed";
    case SetStatus::kUndoFailed:
      return "undoFailed";
    case SetStatus::kNotWritable:
      return "notWritable";
  }
  return "genErr";
}

}  // namespace tcpmibd::snmp
