# Only a login shell finds the commands of Canopsis.
if [ -f ~/.bashrc ]; then
    . ~/.bashrc
fi
export PATH="/opt/canopsis/bin:$PATH"
