# Prints the covered part of events, of commands and of everything, from a profile in which many
# test binaries report the same statements: one that any of them ran is covered.
NR > 1 {
  size[$1] = $2
  if ($3 > 0) ran[$1] = 1
}
END {
  for (block in size) {
    file = block
    sub(/^github.com\/koprogo\/koprogo\//, "", file)
    part = file
    sub(/\/.*/, "", part)
    all[part] += size[block]; all["everything"] += size[block]
    if (ran[block]) { done[part] += size[block]; done["everything"] += size[block] }
  }
  order = "events commands eventstore projections queries api migrations deploy cmd everything"
  n = split(order, parts, " ")
  for (i = 1; i <= n; i++)
    if (all[parts[i]]) printf "%-12s %5.1f %%\n", parts[i], 100 * done[parts[i]] / all[parts[i]]
}
