# Completion of tcpmibd for bash; goes to /usr/share/bash-completion/completions/tcpmibd.

# generated: words
_tcpmibd_commands='run show explain check-config doctor'
_tcpmibd_options='-h --help -V --version -c --config --set'
_tcpmibd_agent_options='-x --agentx --standalone --access'
_tcpmibd_options_of_show='--json --jsonl --watch --openmetrics --prometheus --numeric --state --port --process'
_tcpmibd_options_of_doctor='--json --query --community --snmpd-conf'
_tcpmibd_with_value='-c --config --set -x --agentx --standalone --access --state --port --process --query --community --snmpd-conf'
_tcpmibd_with_file='-c --config --access --snmpd-conf'
_tcpmibd_shown='connections listeners states ages ports units processes remotes pressure alarms scalars'
_tcpmibd_states='closed listen synSent synReceived established finWait1 finWait2 closeWait lastAck closing timeWait'
_tcpmibd_keys='agentx.address agentx.priority agentx.reconnect agentx.ping agentx.module-socket agentx.module-users standalone.address standalone.access standalone.state standalone.tcp-idle standalone.tcp-connections standalone.tcp-connections-each mib.tables mib.link-local mib.dual-stack-listener snapshot.max-age process.lookup process.max-age delete-tcb.policy delete-tcb.protect-ports delete-tcb.protect-remote-ports ends.watch ends.history watch.interval notify.deletions log.level log.target'
# end

# The command among the words before the cursor; empty where there is none yet.
_tcpmibd_command() {
  local -i at=1
  while ((at < COMP_CWORD)); do
    case " $_tcpmibd_with_value " in
      *" ${COMP_WORDS[at]} "*) at+=2 && [[ ${COMP_WORDS[at - 1]} == = ]] && at+=1 ;;
      *)
        case " $_tcpmibd_commands " in
          *" ${COMP_WORDS[at]} "*) echo "${COMP_WORDS[at]}" && return ;;
        esac
        at+=1
        ;;
    esac
  done
}

# The words that may stand where no value is due.
_tcpmibd_words() {
  local command=$1
  local own=_tcpmibd_options_of_${command//-/_}
  case $command in
    '') echo "$_tcpmibd_commands $_tcpmibd_agent_options" ;;
    show) echo "$_tcpmibd_shown" ;;
    explain) echo "$_tcpmibd_states" ;;
    *) echo "$_tcpmibd_agent_options" ;;
  esac
  echo "$_tcpmibd_options ${!own-}"
}

_tcpmibd() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  # bash makes three words of --option=value.
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi

  COMPREPLY=()
  case $before in
    --set)
      mapfile -t COMPREPLY < <(compgen -S = -W "$_tcpmibd_keys" -- "$word")
      compopt -o nospace 2>/dev/null
      ;;
    --state)
      # The last of a list.
      local first=
      [[ $word == *,* ]] && first=${word%,*},
      mapfile -t COMPREPLY < <(compgen -P "$first" -W "$_tcpmibd_states" -- "${word##*,}")
      ;;
    *)
      if [[ " $_tcpmibd_with_file " == *" $before "* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
      elif [[ " $_tcpmibd_with_value " != *" $before "* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_tcpmibd_words "$(_tcpmibd_command)")" -- "$word")
      fi
      ;;
  esac
}

complete -F _tcpmibd tcpmibd
