#!/bin/sh
# Tests the launcher `gyre` in a scratch copy, with stand-ins for JDKs and Maven that record how they were called.
# Needs no network and no JDK. SHELLS: the shells to run the launcher with (default: sh).
# shellcheck disable=SC2030,SC2031 # subshells are there to change a variable for one run only
set -u

repo=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

pass_or_fail() { # STATUS WHAT
  if [ "$1" -eq 0 ]; then
    echo "ok    $2"
  else
    echo "FAIL  $2"
    sed 's/^/      out: /' "$scratch/out"
    sed 's/^/      err: /' "$scratch/err"
    failures=$((failures + 1))
  fi
}

check() { # WHAT COMMAND...
  what=$1
  shift
  "$@" >/dev/null 2>&1
  pass_or_fail $? "$shell: $what"
}

refuse() { # WHAT COMMAND...: the command must fail
  what=$1
  shift
  ! "$@" >/dev/null 2>&1
  pass_or_fail $? "$shell: $what"
}

# A JDK whose java prints its own name, its folder and then its arguments, a line each.
fake_jdk() { # FOLDER VERSION
  mkdir -p "$1/bin"
  printf 'IMPLEMENTOR="Nobody"\nJAVA_VERSION="%s"\nJAVA_VERSION_DATE="2025-09-16"\n' "$2" >"$1/release"
  cat >"$1/bin/java" <<EOF
#!/bin/sh
printf 'java %s\n' '$2'
printf 'pwd %s\n' "\$PWD"
printf '%s\n' "\$@"
for option in "\$@"; do # makes the cache that it is asked for, unless the file \`stubborn\` lies beside it
  case \$option in
    -XX:AOTCacheOutput=*) [ -e '$scratch/stubborn' ] || echo cache >"\${option#*=}" ;;
  esac
done
EOF
  printf '#!/bin/sh\n' >"$1/bin/javac"
  chmod +x "$1/bin/java" "$1/bin/javac"
}

# Maven that makes the jars, or fails when the file `broken` lies beside it; one line a call in `calls`.
fake_maven() { # FOLDER
  mkdir -p "$1"
  cat >"$1/mvn" <<'EOF'
#!/bin/sh
here=$(dirname "$0")
echo "$JAVA_HOME|$*" >>"$here/calls"
cat >"$here/stdin"
[ ! -e "$here/slow" ] || sleep 2
if [ -e "$here/broken" ]; then echo "[ERROR] Silu.java does not compile"; exit 1; fi
while [ "$1" != -f ]; do shift; done
home=$(dirname "$2")
mkdir -p "$home/cli/target/lib"
touch "$home/cli/target/gyre-cli-1.jar" "$home/cli/target/gyre-cli-1-sources.jar" "$home/cli/target/lib/gyre-core-1.jar"
EOF
  chmod +x "$1/mvn"
}

fake_repo() { # FOLDER
  mkdir -p "$1/cli/src/main/java" "$1/core/src/main/java" "$1/core/src/test/java"
  touch "$1/pom.xml" "$1/cli/pom.xml" "$1/core/pom.xml" "$1/core/src/main/java/A.java" "$1/core/src/main/java/B.java"
  cp "$repo/gyre" "$1/gyre"
}

# Runs the launcher $at with the given arguments; leaves its output and its exit status in files, so that it may be
# called in a subshell, where a variable or the folder is another.
at=
run() {
  "$shell" "$at" "$@" >"$scratch/out" 2>"$scratch/err"
  echo $? >"$scratch/status"
}

exited() { [ "$(cat "$scratch/status")" = "$1" ]; }

said() { grep -q -F -e "$1" "$scratch/err"; }
printed() { grep -q -x -F -e "$1" "$scratch/out"; }
builds() { [ "$(grep -c . "$scratch/mvn/calls" 2>/dev/null)" = "$1" ]; }
# Makes all that is there equally old, so that the next change is newer however coarse the file system's clock.
age() { find "$home" -exec touch -t 200001010000 {} +; }

# The tools that the launcher may use, and no java or mvn among them.
mkdir "$scratch/tools"
for tool in sh awk cat chmod cksum cp diff dirname env find grep head ln ls mkdir mv ps \
  readlink rm rmdir sed sleep touch uname; do
  path=$(command -v "$tool") && ln -s "$path" "$scratch/tools/$tool"
done
fake_jdk "$scratch/jdks/a 17" 17.0.15
fake_jdk "$scratch/jdks/b 25" 25.0.3
fake_jdk "$scratch/old/jdk8" 1.8.0_412
fake_jdk "$scratch/old/jdk17" 17.0.15
fake_jdk "$scratch/old/jre25" 25
rm "$scratch/old/jre25/bin/javac"
fake_jdk "$scratch/jdk26" 26-ea
fake_maven "$scratch/mvn"
unset JAVA_HOME JAVA_OPTS GYRE_JAVA_OPTS TORNADOVM_HOME CDPATH GYRE_AOT
printf 'model name\t: Abacus 1\nflags\t\t: beads wires\n' >"$scratch/abacus"
printf 'model name\t: Abacus 1\nflags\t\t: beads wires glass\n' >"$scratch/better"
printf 'model name\t: Abacus 2\nflags\t\t: fma f16c avx2 smep bmi2 erms\n' >"$scratch/vectors"
export GYRE_CPUINFO="$scratch/abacus"
export GYRE_JDKS="$scratch/jdks"
system_path=$PATH

for shell in ${SHELLS:-sh}; do
  shell=$(command -v "$shell")
  home="$scratch/a folder/gyre"
  rm -rf "$scratch/a folder" "$scratch/mvn/calls"
  fake_repo "$home"
  at=$home/gyre
  PATH=$scratch/mvn:$scratch/tools

  # The first use builds, quietly; the second does not.
  age
  run draw "two words" '*' '' <"$repo/LICENSE"
  check "first use exits 0" exited 0
  check "first use says that it builds" said "gyre: building (first use)"
  check "first use builds once" builds 1
  flags="-Dmaven.test.skip=true -Dspotless.check.skip=true"
  check "Maven gets the JDK that was found and the whole line" grep -q -x -F -e \
    "$scratch/jdks/b 25|-q -B -Dstyle.color=never -f $home/pom.xml $flags -pl cli -am package" "$scratch/mvn/calls"
  refuse "Maven does not eat the standard input" [ -s "$scratch/mvn/stdin" ]
  check "the JDK that is new enough is taken" printed "java 25.0.3"
  check "the folder stays" printed "pwd $PWD"
  cat >"$scratch/want" <<EOF
java 25.0.3
pwd $PWD
--add-modules
jdk.incubator.vector
--enable-native-access=ALL-UNNAMED
-XX:MaxRAMPercentage=60
-XX:+UseParallelGC
-XX:NewSize=32m
-XX:MaxNewSize=64m
-Xms96m
-cp
$home/cli/target/gyre-cli-1.jar:$home/cli/target/lib/*
dev.gyre.cli.Main
draw
two words
*

EOF
  sed '/^-XX:AOTCache=/d; /^-Xlog:aot/d' "$scratch/out" >"$scratch/had"
  check "arguments and class path arrive whole" diff "$scratch/want" "$scratch/had"
  run draw
  check "second use builds nothing" builds 1
  refuse "second use says nothing" [ -s "$scratch/err" ]
  (export PATH="$scratch/tools" && run draw)
  check "once built, Maven is not needed" exited 0

  # What makes it build again.
  rebuilt_by() { # WHAT COMMAND...
    what=$1
    shift
    rm -f "$scratch/mvn/calls"
    age
    "$@"
    run draw
    check "built again after $what" builds 1
    check "… and says so" said "gyre: building (sources changed)"
    run draw
    check "… once" builds 1
  }
  rebuilt_by "a changed source" touch "$home/core/src/main/java/A.java"
  rebuilt_by "a changed pom" touch "$home/core/pom.xml"
  rebuilt_by "a removed source" rm "$home/core/src/main/java/B.java"
  rm -f "$scratch/mvn/calls"
  age
  touch "$home/core/src/test/java/T.java" "$home/core/README.md"
  run draw
  refuse "not built again after a changed test" [ -e "$scratch/mvn/calls" ]

  # A failed build is shown, kept, and tried again.
  touch "$home/core/src/main/java/A.java" "$scratch/mvn/broken"
  run draw
  check "a failed build exits 1" exited 1
  check "a failed build shows Maven's output" said "[ERROR] Silu.java does not compile"
  check "… and says where it is kept" said "$home/target/build.log"
  check "… where it is" grep -q Silu "$home/target/build.log"
  refuse "a failed build starts nothing" [ -s "$scratch/out" ]
  refuse "a failed build leaves no lock" [ -e "$home/target/gyre.lock" ]
  rm "$scratch/mvn/broken"
  run draw
  check "a mended build runs" printed "java 25.0.3"

  # Without Maven.
  touch "$home/pom.xml"
  age
  rm -rf "$home/cli/target"
  (export PATH="$scratch/tools" && run draw)
  check "no Maven: exits 1" exited 1
  check "no Maven: says so" said "mvn is not on the PATH"

  # Two at once build once; a dead one's lock stops nobody.
  rm -f "$scratch/mvn/calls"
  touch "$scratch/mvn/slow"
  $shell "$at" one >"$scratch/out1" 2>"$scratch/err1" &
  first=$!
  run two
  wait "$first"
  check "two at once: the first exits 0" [ $? -eq 0 ]
  check "two at once: the second exits 0" exited 0
  check "two at once: one build" builds 1
  check "two at once: both run" grep -q -x one "$scratch/out1"
  check "two at once: each with its own arguments" printed two
  rm "$scratch/mvn/slow"
  sh -c 'exit 0' &
  dead=$!
  wait "$dead"
  rm -rf "$home/cli/target" "$scratch/mvn/calls"
  mkdir "$home/target/gyre.lock"
  echo "$dead $(uname -n)" >"$home/target/gyre.lock/owner"
  run draw
  check "a dead launcher's lock is broken" exited 0
  check "… and it builds" builds 1
  refuse "… and nothing of the lock is left" ls "$home/target/gyre.lock" "$home/target/gyre.lock.breaking"

  # Which JDK.
  (export JAVA_HOME="$scratch/jdk26" && run draw)
  check "JAVA_HOME comes first" printed "java 26-ea"
  (export JAVA_HOME="$scratch/old/jdk17" && run draw)
  check "a JAVA_HOME that is too old is passed over" printed "java 25.0.3"
  ln -sfn "$scratch/jdk26/bin/java" "$scratch/java"
  mkdir -p "$scratch/bin"
  ln -sfn ../java "$scratch/bin/java"
  (export PATH="$scratch/bin:$PATH" && run draw)
  check "java on the PATH is followed to its JDK" printed "java 26-ea"
  (export PATH="$scratch/old/jdk17/bin:$PATH" && run draw)
  check "a java on the PATH that is too old is passed over" printed "java 25.0.3"
  (export GYRE_JDKS="$scratch/old" JAVA_HOME="$scratch/nowhere" && run draw)
  check "no JDK: exits 1" exited 1
  check "no JDK: says what it needs" said "gyre: needs a JDK 25 or newer, with javac, and found none."
  check "no JDK: says where it looked" said "looked at: JAVA_HOME, java on the PATH (none), $scratch/old"
  check "no JDK: says that JAVA_HOME is none" said "JAVA_HOME=$scratch/nowhere has no bin/java"
  check "no JDK: says what is too old" said "$scratch/old/jdk17: Java 17.0.15"
  check "no JDK: Java 8 counts as old, too" said "$scratch/old/jdk8: Java 1.8.0_412"
  check "no JDK: says what lacks javac" said "$scratch/old/jre25: Java 25, but without javac"
  (export GYRE_JDKS="$scratch/empty" && run draw)
  check "nothing at all: exits 1" exited 1
  check "nothing at all: says so" said "found: no JDK"

  # The JVM's options.
  (export JAVA_OPTS='-Xmx1g *' GYRE_JAVA_OPTS=-Dsecond && run draw)
  check "JAVA_OPTS arrive, split at blanks" printed "-Xmx1g"
  check "JAVA_OPTS are no file patterns" printed "*"
  check "GYRE_JAVA_OPTS arrive" printed "-Dsecond"
  check "the collector stays" printed "-XX:+UseParallelGC"
  (export GYRE_JAVA_OPTS="-XX:+UseLargePages -XX:MaxGCPauseMillis=9" && run draw)
  check "… with options that name none" printed "-XX:+UseParallelGC"
  (export GYRE_JAVA_OPTS="-XX:+UseSerialGC" && run draw)
  check "the user's collector arrives" printed "-XX:+UseSerialGC"
  refuse "… alone" printed "-XX:+UseParallelGC"

  # Where machine code runs, the Vector API's module is left out.
  if [ "$(uname -s) $(uname -m)" = "Linux x86_64" ]; then
    (export GYRE_CPUINFO="$scratch/vectors" && run draw)
    refuse "no Vector API where machine code runs" printed "jdk.incubator.vector"
    (export GYRE_CPUINFO="$scratch/vectors" GYRE_JAVA_OPTS=-Dgyre.machine.without=avx2 && run draw)
    check "… but where that is switched off" printed "jdk.incubator.vector"

    # Each flag counts by itself, wherever it stands.
    takes() { # code|vectors FLAGS
      printf 'model name\t: Abacus 3\nflags\t\t: %s\n' "$2" >"$scratch/flags"
      (export GYRE_CPUINFO="$scratch/flags" && run draw)
      if printed "jdk.incubator.vector"; then api=vectors; else api=code; fi
      exited 0 && [ "$api" = "$1" ]
    }
    check "machine code with flags side by side" takes code "fpu fma f16c bmi1 avx2 bmi2 erms"
    check "… in the other order" takes code "fpu bmi2 smep avx2 f16c fma erms"
    check "… first and last in the line" takes code "avx2 fma erms f16c bmi2"
    check "… with nothing else" takes code "bmi2 fma f16c avx2"
    for flag in avx2 bmi2 f16c fma; do
      rest=$(echo "fpu avx2 bmi2 f16c fma erms" | sed "s/ $flag / /")
      check "… not without $flag" takes vectors "$rest"
      check "… nor with x$flag" takes vectors "x$flag $rest x$flag"
      check "… nor with ${flag}x" takes vectors "${flag}x $rest ${flag}x"
    done
    check "… nor without any flag" takes vectors ""

    # A small picture is done before the second compiler pays.
    quick() {
      (export GYRE_CPUINFO="$scratch/vectors" && run "$@")
      printed "-XX:TieredStopAtLevel=1"
    }
    check "a small picture takes one compiler" quick "a red circle" --seed 1
    refuse "… one by another model both" quick "a red circle" --model=x.safetensors
    refuse "… and several pictures" quick "a red circle" --batch 4
    refuse "… and commands" quick serve "a red circle"
    run "a red circle"
    refuse "… and where no machine code runs" printed "-XX:TieredStopAtLevel=1"
  fi

  # What Arrow needs, only for who uses it.
  run sweep prompts.csv
  check "sweep opens what Arrow needs" printed "--add-opens=java.base/java.nio=ALL-UNNAMED"
  check "… and is not warned of how it reads" printed "--sun-misc-unsafe-memory-access=allow"
  refuse "… without the cache, which was made for other options" grep -q -e "^-XX:AOTCache=" "$scratch/out"
  run draw sweep
  refuse "nobody else does" printed "--add-opens=java.base/java.nio=ALL-UNNAMED"

  # The cache of loaded classes: made with the build, for this JDK, processor and the launcher's own options alone.
  cached() { grep -q -e "^-XX:AOTCache=$home/target/gyre-[0-9]*\.aot\$" "$scratch/out"; }
  run draw
  check "the cache is used" cached
  (export GYRE_CPUINFO="$scratch/better" && run draw)
  refuse "… not on another processor" cached
  check "… which works without it" exited 0
  (export GYRE_CPUINFO="$scratch/none" && run draw)
  check "… and so does one that cannot be told" exited 0
  (export GYRE_JAVA_OPTS=-Dsecond && run draw)
  refuse "… not with other options" cached
  (export GYRE_AOT=off && run draw)
  refuse "… not when it is turned off" cached
  touch "$scratch/stubborn" "$home/core/src/main/java/B.java"
  run draw
  check "no cache can be made: says so" said "gyre: made no cache of loaded classes"
  check "… and Gyre runs" exited 0
  refuse "… without the old one" cached
  rm "$scratch/stubborn"
  age
  touch "$home/core/src/main/java/B.java"
  run draw
  check "the next build makes one again" cached

  # TornadoVM, only for who asks for it.
  sdk="$scratch/tornado sdk"
  mkdir -p "$sdk"
  touch "$sdk/tornado-argfile"
  export TORNADOVM_HOME="$sdk"
  with() { # ARGUMENTS: TornadoVM must be there
    run "$@"
    check "TornadoVM for: $*" printed "@$sdk/tornado-argfile"
  }
  without() { # ARGUMENTS: it must not be
    run "$@"
    refuse "no TornadoVM for: $*" grep -q tornado-argfile "$scratch/out"
  }
  with devices
  check "… and of jars, the SDK's alone are modules" printed "$sdk/share/java/tornado"
  with check
  with draw --backend tornado --seed 1
  with draw --seed 1 --backend=tornado
  without draw
  without
  without draw devices
  without draw --backend jvm
  without "tornado"
  without --backend=jvm tornado
  (export TORNADOVM_HOME="$scratch/empty" && run devices)
  check "a TORNADOVM_HOME without its argfile is said" said "TORNADOVM_HOME is $scratch/empty, but"
  check "… and Gyre does not go on without it" exited 1
  refuse "… starting nothing" [ -s "$scratch/out" ]
  (export TORNADOVM_HOME="$scratch/empty" && run draw)
  check "… unless nobody asks for it" exited 0
  unset TORNADOVM_HOME
  without devices
  refuse "no TORNADOVM_HOME: says nothing" [ -s "$scratch/err" ]

  # By symlink, and by a relative path.
  mkdir -p "$scratch/links"
  ln -sfn "$at" "$scratch/links/real"
  ln -sfn real "$scratch/links/gyre"
  at=$scratch/links/gyre
  run draw
  check "a symlink to a symlink leads home" printed "$home/cli/target/gyre-cli-1.jar:$home/cli/target/lib/*"
  (cd "$scratch/links" && at=./gyre && run draw)
  check "so does a relative one" printed "$home/cli/target/gyre-cli-1.jar:$home/cli/target/lib/*"
  check "… from the folder that it was called in" printed "pwd $scratch/links"

  # In a distribution: nothing is built, and a Java without javac will do.
  rm -rf "$scratch/packed" "$scratch/mvn/calls"
  mkdir -p "$scratch/packed/bin" "$scratch/packed/lib"
  cp "$repo/gyre" "$scratch/packed/bin/gyre"
  touch "$scratch/packed/lib/gyre-cli-1.jar" "$scratch/packed/lib/gyre-core-1.jar"
  ln -sfn "$scratch/packed/bin/gyre" "$scratch/links/packed"
  at=$scratch/links/packed
  (export GYRE_JDKS="$scratch/old" && run draw)
  check "a distribution runs" exited 0
  check "… with its own jars" printed "$scratch/packed/lib/gyre-cli-1.jar:$scratch/packed/lib/*"
  check "… on a Java without javac" printed "java 25"
  refuse "… and builds nothing" [ -e "$scratch/mvn/calls" ]
  refuse "… and writes nothing" [ -e "$scratch/packed/target" ]
  PATH=$system_path
done

if [ "$failures" -gt 0 ]; then
  echo "launcher: $failures failed"
  exit 1
fi
echo "launcher: all passed"
