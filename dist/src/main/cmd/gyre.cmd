@echo off
rem Starts Gyre from its distribution with the Java that JAVA_HOME names, else the one on the PATH.
rem JAVA_OPTS and GYRE_JAVA_OPTS are options for the JVM; they come after Gyre's own and win.
setlocal DisableDelayedExpansion
set "gyre_home=%~dp0.."
set "gyre_java=%JAVA_HOME%\bin\java.exe"
if not defined JAVA_HOME for %%j in (java.exe) do set "gyre_java=%%~$PATH:j"
if not defined gyre_java (
  echo gyre: needs a JDK 25 or newer: set JAVA_HOME, or put its bin on the PATH>&2
  exit /b 1
)
if not exist "%gyre_java%" (
  echo gyre: JAVA_HOME is "%JAVA_HOME%", but there is no bin\java.exe in it>&2
  exit /b 1
)
rem An older Java would stop at options that it does not know. Where no file "release" tells its version, Main does.
for %%j in ("%gyre_java%") do set "gyre_release=%%~dpj..\release"
set "gyre_version="
if exist "%gyre_release%" for /f "usebackq tokens=1,2 delims==" %%k in ("%gyre_release%") do if "%%k"=="JAVA_VERSION" set "gyre_version=%%~l"
set "gyre_old="
if defined gyre_version for /f "delims=.-" %%v in ("%gyre_version%") do if %%v lss 25 set "gyre_old=yes"
if defined gyre_old (
  echo gyre: needs Java 25 or newer; this is Java %gyre_version%, "%gyre_java%">&2
  exit /b 1
)
rem A second collector would be an error. Without quotes the options can be compared.
set "gyre_collector=-XX:+UseParallelGC -XX:NewSize=32m -XX:MaxNewSize=64m -Xms96m"
set "gyre_options=%JAVA_OPTS% %GYRE_JAVA_OPTS%"
set "gyre_options=%gyre_options:"=%"
if not "%gyre_options:-XX:+UseSerialGC=%"=="%gyre_options%" set "gyre_collector="
if not "%gyre_options:-XX:+UseParallelGC=%"=="%gyre_options%" set "gyre_collector="
if not "%gyre_options:-XX:+UseG1GC=%"=="%gyre_options%" set "gyre_collector="
if not "%gyre_options:-XX:+UseZGC=%"=="%gyre_options%" set "gyre_collector="
if not "%gyre_options:-XX:+UseShenandoahGC=%"=="%gyre_options%" set "gyre_collector="
if not "%gyre_options:-XX:+UseEpsilonGC=%"=="%gyre_options%" set "gyre_collector="
rem What Arrow needs, for the command that uses it.
set "gyre_arrow="
if "%~1"=="sweep" set "gyre_arrow=--add-opens=java.base/java.nio=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"
"%gyre_java%" %gyre_arrow% --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -XX:MaxRAMPercentage=60 %gyre_collector% %JAVA_OPTS% %GYRE_JAVA_OPTS% -cp "%gyre_home%\lib\*" dev.gyre.cli.Main %*
exit /b %ERRORLEVEL%
