# Reads Cobertura files; prints which part of the lines of src/Engine and src/Format some test ran.
match($0, /filename="[^"]*"/) { file = substr($0, RSTART + 10, RLENGTH - 11) }
match($0, /<line number="[0-9]+" hits="[0-9]+"/) {
    split(substr($0, RSTART, RLENGTH), part, "\"")
    if (file !~ /[\/\\]src[\/\\](Engine|Format)[\/\\]/ || file ~ /[\/\\]obj[\/\\]/) next
    room = file ~ /[\/\\]src[\/\\]Engine[\/\\]/ ? "Engine" : "Format"
    line = file ":" part[2]
    if (!(line in seen)) { seen[line]; all[room]++ }
    if (part[4] > 0 && !(line in ran)) { ran[line]; hit[room]++ }
}
END {
    for (room in all) printf "Coverage of src/%s: %.1f %% of %d lines\n", room, 100 * hit[room] / all[room], all[room]
}
