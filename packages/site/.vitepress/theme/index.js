import { useData } from "vitepress"
import DefaultTheme from "vitepress/theme"
import { h, onMounted, watch } from "vue"
import "./style.css"

/** The first page, and the one that says that there is none, have no `main` in the default theme. */
const Layout = {
  setup() {
    const { frontmatter, page } = useData()
    const mark = () => {
      const isBare = frontmatter.value.layout === "home" || page.value.isNotFound === true
      document.querySelector("#VPContent")?.[isBare ? "setAttribute" : "removeAttribute"]("role", "main")
    }
    onMounted(() => watch(() => page.value.relativePath, mark, { immediate: true, flush: "post" }))
    return () => h(DefaultTheme.Layout)
  }
}

export default { extends: DefaultTheme, Layout }
